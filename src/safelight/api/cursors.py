"""Opaque cursors of pages: a job's number, written so that nobody builds on it."""

from __future__ import annotations

import base64
import binascii

from safelight.domain.errors import InvalidParams
from safelight.services.read_jobs import FIRST_PAGE


def written(number: int | None) -> str | None:
    """The cursor of the page that continues before this number."""
    return None if number is None else base64.urlsafe_b64encode(f"j{number}".encode()).decode().rstrip("=")


def read(cursor: str | None) -> int:
    """The number a cursor stands for; no cursor is the first page. Raises InvalidParams."""
    if not cursor:
        return FIRST_PAGE
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        number = int(text.removeprefix("j")) if text[:1] == "j" and text[1:].isdecimal() and len(text) < 20 else -1
    except (binascii.Error, ValueError) as error:
        raise _unreadable() from error
    if not 0 < number <= FIRST_PAGE:
        raise _unreadable()
    return number


def _unreadable() -> InvalidParams:
    text = "must be the `nextCursor` of an earlier page"
    return InvalidParams(f"cursor: {text}", errors={"cursor": [text]})
