"""Providers' keys: told apart without being shown."""

from __future__ import annotations

import hashlib


def fingerprint(key: str | None) -> str:
    """Twelve hex digits that change with the key and lead nowhere; empty without a key."""
    return hashlib.sha256(f"safelight:{key}".encode()).hexdigest()[:12] if key else ""


def without_key(text: str, key: str | None) -> str:
    """The text with a mark where the key stood: providers repeat the key that they refuse."""
    return text.replace(key, "***") if key else text
