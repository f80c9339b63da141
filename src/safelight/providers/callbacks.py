"""Addresses at which providers announce what became of a call: signed by the installation, given away only if public.

What comes in there is never believed further than that it is worth asking the provider: see `services/hear.py`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
from collections.abc import Collection
from urllib.parse import quote, urlsplit

from safelight.net.addresses import is_public

SIGNATURE_BYTES = 24
PRIVATE_NAMES = (".localhost", ".local", ".internal", ".lan", ".home", ".test", ".example", ".invalid")


def callback_url(secret: bytes, base: str, provider: str, call_id: str) -> str:
    """Where that provider is to announce that call. The signature does not expire: calls are few, and harmless."""
    path = f"/api/callbacks/{quote(provider, safe='')}/{call_id}"
    return f"{base.rstrip('/')}{path}?sig={signature(secret, provider, call_id)}"


def signature(secret: bytes, provider: str, call_id: str) -> str:
    """192 bits of HMAC-SHA256 over provider and call, fit for a URL."""
    digest = hmac.digest(secret, f"callback\n{provider}\n{call_id}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:SIGNATURE_BYTES]).decode("ascii")


def is_genuine(secret: bytes, provider: str, call_id: str, sig: str) -> bool:
    return hmac.compare_digest(signature(secret, provider, call_id).encode(), sig.encode("utf-8", "replace"))


def can_be_reached(public_url: str | None, allowed: Collection[str] = ()) -> bool:
    """Whether a provider may be given addresses under that base: https and public, or a place that the operator allows.

    `allowed` are `host:port`, as of SAFELIGHT_ALLOW_PRIVATE_HOSTS. Nothing is looked up.
    """
    if public_url is None:
        return False
    parts = urlsplit(public_url)
    host = (parts.hostname or "").lower().rstrip(".")
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    if f"{host}:{port}" in allowed or f"[{host}]:{port}" in allowed:
        return True
    return parts.scheme == "https" and _is_public_name(host)


def _is_public_name(host: str) -> bool:
    try:
        return is_public(ipaddress.ip_address(host))
    except ValueError:
        return "." in host and not host.endswith(PRIVATE_NAMES)
