"""Signed URLs of assets: whoever has the URL may read that one asset until it expires.

The signature covers the path and the expiry, not the host, so a proxy in front changes nothing. Expiry is a
whole hour: everybody who asks within an hour gets the same URL, which browsers and proxies can cache.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import re

LIFETIME_S = 24 * 3600
HOUR_S = 3600
SIGNATURE_BYTES = 24

_EXPIRY = re.compile(r"[0-9]{1,12}")


def expiry(now_s: float, lifetime_s: float = LIFETIME_S) -> int:
    """When a URL handed out now expires, in epoch seconds: at least the lifetime from now, on a whole hour."""
    return math.ceil((now_s + lifetime_s) / HOUR_S) * HOUR_S


def hour(now_s: float) -> int:
    """Which of the hours it is within which addresses stay the same: what is shown with them is new with the next."""
    return expiry(now_s) // HOUR_S


def signed_url(secret: bytes, *, base: str, path: str, expires_at: int) -> str:
    """`{base}{path}?exp=…&sig=…`. The path begins with a slash; the base, which may have a path too, is not signed."""
    return f"{base.rstrip('/')}{path}?exp={expires_at}&sig={sign(secret, path, expires_at)}"


def sign(secret: bytes, path: str, expires_at: int) -> str:
    """192 bits of HMAC-SHA256, fit for a URL."""
    digest = hmac.digest(secret, f"{path}\n{expires_at}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:SIGNATURE_BYTES]).decode("ascii")


def verify(secret: bytes, path: str, *, exp: str, sig: str, now_s: float) -> bool:
    """Whether `exp` and `sig`, as they stand in the query, allow reading this path now. Never raises."""
    if _EXPIRY.fullmatch(exp) is None:
        return False
    right = sign(secret, path, int(exp)).encode("ascii")
    genuine = hmac.compare_digest(right, sig.encode("utf-8", "replace"))
    return genuine and now_s < int(exp)
