"""Which certificates are trusted: those of the system, read once."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def tls() -> ssl.SSLContext:
    """Made once, in a thread: reading the certificates takes longer than a request."""
    return httpx.create_ssl_context()
