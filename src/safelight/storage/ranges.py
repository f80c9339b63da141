"""Read the `Range` header (RFC 9110, section 14) for one range of bytes.

Several ranges in one request are legal to ignore, and players and browsers ask for one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"\s*bytes\s*=\s*([0-9]*)\s*-\s*([0-9]*)\s*", re.IGNORECASE)
_LARGEST = 2**63
_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes from `start` up to, not including, `end`: at least one."""

    start: int
    end: int
    size: int
    """Of the whole object."""

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.end - 1}/{self.size}"


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """Nothing of the object lies in the range: answer 416 with this `Content-Range`."""

    size: int

    @property
    def content_range(self) -> str:
        return f"bytes */{self.size}"


def parse_range(header: str | None, size: int) -> ByteRange | Unsatisfiable | None:
    """What is asked for of an object of `size` bytes. None: the whole, also where the header makes no sense."""
    found = _ONE_RANGE.fullmatch(header or "")
    if found is None:
        return None
    first, last = (_number(digits) for digits in found.groups())
    if first is None:
        return None if last is None else _suffix(last, size)
    if last is not None and last < first:
        return None
    if first >= size:
        return Unsatisfiable(size)
    return ByteRange(first, size if last is None else min(last + 1, size), size)


def _suffix(length: int, size: int) -> ByteRange | Unsatisfiable:
    """The last `length` bytes."""
    if length == 0 or size == 0:
        return Unsatisfiable(size)
    return ByteRange(max(0, size - length), size, size)


def _number(digits: str) -> int | None:
    """The number; larger than any object if it has more digits than any object's size."""
    if not digits:
        return None
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= _MOST_DIGITS else _LARGEST
