"""Whether the caller already has what we would send (RFC 9110, section 13.1.2)."""

from __future__ import annotations

import re

from fastapi import Request

_TAG = re.compile(r'(?:W/)?("[^"]*")')


def unchanged(request: Request, etag: str) -> bool:
    """Compares weakly: `W/` makes no difference to one who only asks whether to read it again."""
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or etag.removeprefix("W/") in _TAG.findall(given)
