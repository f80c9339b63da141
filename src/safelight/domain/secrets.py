"""The keys that this process holds: they are taken out of whatever comes from outside, by whomever it is repeated.

Providers repeat keys where nobody expects it: in codes, types and names of requests. So it is not each reader's
business: adapters say their key once, and words from outside lose it before they are kept, shown or logged.
"""

from __future__ import annotations

MASK = "***"
SHORTEST = 8
"""Shorter ones would take harmless words along; no provider hands them out."""
_kept: set[str] = set()


def keep_secret(key: str | None) -> None:
    """From now on this key is masked, in this process and for good."""
    if key and len(key) >= SHORTEST:
        _kept.add(key)


def without_secrets(text: str) -> str:
    """The text with a mark wherever a key stood."""
    for key in sorted(_kept, key=len, reverse=True):  # a longer one may hold a shorter one
        if key in text:
            text = text.replace(key, MASK)
    return text
