"""Opaque cursors of pages: a number of the list they belong to, written so that nobody builds on it."""

from __future__ import annotations

import base64
import binascii

from safelight.domain.errors import InvalidParams
from safelight.services.job_pages import FIRST_PAGE

JOBS, ITEMS, LEDGER, RECOVERIES = "j", "i", "l", "r"
"""Lists: the cursor of one is none of another."""


def written(number: int | None, of: str = JOBS) -> str | None:
    """The cursor of the page that goes on from this number."""
    return None if number is None else base64.urlsafe_b64encode(f"{of}{number}".encode()).decode().rstrip("=")


def read(cursor: str | None, of: str = JOBS, *, first: int = FIRST_PAGE) -> int:
    """The number a cursor stands for; no cursor is the first page, `first`. Raises InvalidParams."""
    if not cursor:
        return first
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        number = int(text[1:]) if text[:1] == of and text[1:].isdecimal() and len(text) < 20 else -1
    except (binascii.Error, ValueError) as error:
        raise _unreadable() from error
    if not 0 < number <= FIRST_PAGE:
        raise _unreadable()
    return number


def _unreadable() -> InvalidParams:
    text = "must be the `nextCursor` of an earlier page"
    return InvalidParams(f"cursor: {text}", errors={"cursor": [text]})
