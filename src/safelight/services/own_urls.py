"""URLs that lead back to this installation: they are read as what they name, and never fetched."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from safelight.domain.ids import is_id

ASSET_PATH = "/api/assets/"


def is_own(url: str, bases: Iterable[str]) -> bool:
    """Whether it leads to one of our addresses. Every name of the loopback is the same machine."""
    asked = _place(url)
    return asked is not None and any(asked == _place(base) for base in bases if base)


def asset_of(url: str, bases: Iterable[str]) -> str | None:
    """The id of the asset that one of our own URLs names, `{base}/api/assets/{id}?…`; else None."""
    for base in bases:
        path = urlsplit(base).path.rstrip("/") + ASSET_PATH if base else ""
        if path and _place(base) == _place(url) and (found := urlsplit(url).path).startswith(path):
            asset_id = found.removeprefix(path)
            return asset_id if is_id(asset_id) else None
    return None


def _place(url: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    return (_host(parts), port) if port and parts.hostname else None


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    return "loopback" if is_loopback(host) else host


def is_loopback(host: str) -> bool:
    """Whether a host's name or address can only mean the machine itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
