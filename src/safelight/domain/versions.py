"""Releases by number: which of two is older."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"\d+(?:\.\d+)*")


def is_version(text: str) -> bool:
    """Whether it is the number of a release, such as 1.4 or 1.4.2."""
    return _NUMBERS.fullmatch(text) is not None


def is_older(version: str, than: str) -> bool:
    """Compare numbers, not letters: 0.9 is older than 0.10, and 1.4 is as old as 1.4.0.

    What follows the numbers, as in 1.4.0rc1, does not count.
    """
    return _numbers(version) < _numbers(than)


def _numbers(version: str) -> tuple[int, ...]:
    match = _NUMBERS.match(version)
    numbers = [int(part) for part in match[0].split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
