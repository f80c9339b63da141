"""The picture formats that built-in providers write."""

from __future__ import annotations

MIMES = {"png": "image/png", "webp": "image/webp", "jpeg": "image/jpeg"}
