"""Behind a proxy: what a trusted one says of the caller's address and of ours, and under which path we are mounted.

Without `SAFELIGHT_TRUSTED_PROXIES` nobody is believed, whatever headers come.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
_PREFIX = re.compile(r"(/(?!\.)[A-Za-z0-9._~-]+)+")


class BehindProxy:
    """Rewrites a request as the caller sent it: scheme, host, address and path.

    `public_url` names the path under which we are seen where a proxy does not say it.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[Network], public_url: str | None = None) -> None:
        self._app, self._trusted = app, trusted
        self._mounted_at = urlsplit(public_url or "").path.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            prefix = self._mounted_at if f"{scope['path']}/".startswith(f"{self._mounted_at}/") else ""
            if self._is_trusted((scope.get("client") or ("", 0))[0]):
                prefix = self._believe(scope) or prefix
            if prefix:
                _mount(scope, prefix)
        await self._app(scope, receive, send)

    def _believe(self, scope: Scope) -> str:
        """Take over what the proxy says; the path it says we are mounted at."""
        headers = Headers(scope=scope)
        if (scheme := _last(headers, "x-forwarded-proto").lower()) in ("http", "https"):
            scope["scheme"] = scheme if scope["type"] == "http" else scheme.replace("http", "ws")
        if _HOST.fullmatch(host := _last(headers, "x-forwarded-host")):
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope["headers"] = [(b"host", host.encode("ascii")), *others]
        if caller := self._caller(headers):
            scope["client"] = (caller, 0)
        prefix = _last(headers, "x-forwarded-prefix").rstrip("/")
        return prefix if _PREFIX.fullmatch(prefix) else ""

    def _caller(self, headers: Headers) -> str | None:
        """The last address of the chain that is no trusted proxy's; anybody can invent earlier ones."""
        hops = [hop.strip() for line in headers.getlist("x-forwarded-for") for hop in line.split(",")]
        for hop in reversed(hops):
            if not _is_address(hop):
                return None
            if not self._is_trusted(hop):
                return hop
        return hops[0] if hops else None

    def _is_trusted(self, address: str) -> bool:
        return is_among(address, self._trusted)


def read_networks(texts: Sequence[str]) -> list[Network]:
    """Addresses and networks such as `10.0.0.0/8`. Raises ValueError."""
    return [ipaddress.ip_network(text) for text in texts]


def is_among(address: str, networks: Sequence[Network]) -> bool:
    """Whether it is an address, and one of theirs."""
    return _is_address(address) and any(ipaddress.ip_address(address) in network for network in networks)


def _mount(scope: Scope, prefix: str) -> None:
    """Starlette's way: the path has the prefix, whether or not the proxy has taken it away."""
    scope["root_path"] = prefix
    if not f"{scope['path']}/".startswith(f"{prefix}/"):
        scope["path"] = prefix + scope["path"]
        scope["raw_path"] = prefix.encode() + (scope.get("raw_path") or b"")


def _last(headers: Headers, name: str) -> str:
    """What the nearest proxy said: others may have said something before it."""
    lines = headers.getlist(name)
    return lines[-1].rpartition(",")[2].strip() if lines else ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
