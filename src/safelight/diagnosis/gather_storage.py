"""Look at the storage: a small file is written, looked at and removed; free disk is measured."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

from safelight.diagnosis.facts import StorageFacts, Trouble
from safelight.domain.errors import StorageFailed
from safelight.settings import Settings
from safelight.storage.assets import AssetStore
from safelight.storage.opening import local_root
from safelight.store.connect import sqlite_path
from safelight.telemetry.redact import redact

_NO_SPACE = ("no space left", "disk quota", "file system is full")


async def look_at_storage(settings: Settings, *, writes: bool) -> StorageFacts:
    """Makes no folder: one that is missing is a fact. Without `writes` a store is only looked at."""
    url, started = settings.storage_address, time.monotonic()
    root = local_root(url)
    free = await asyncio.to_thread(free_bytes, settings)
    facts = StorageFacts(where=redact(url), exists=root is None or root.is_dir(), free_bytes=free)
    if not facts.exists:
        return facts
    trouble = await _tried(url, writes=writes)
    return StorageFacts(facts.where, True, trouble, free, time.monotonic() - started)


async def _tried(url: str, *, writes: bool) -> Trouble | None:
    try:
        store = await asyncio.to_thread(AssetStore, url)
        await (store.now() if writes else store.reach())
    except StorageFailed as error:
        return Trouble(error.what, error.remedy, _kind(error))
    return None


def _kind(error: StorageFailed) -> str:
    reason = str(error.evidence.get("reason", "")).lower()
    if any(words in reason for words in _NO_SPACE):
        return "full"
    return "denied" if "denied" in reason else str(error.evidence.get("trouble", "failed"))


def free_bytes(settings: Settings) -> int | None:
    """On the fullest disk that jobs need; None where none is limited."""
    places = (local_root(settings.storage_address), sqlite_path(settings.database_address))
    found = [shutil.disk_usage(place).free for each in places if each is not None and (place := _there(each))]
    return min(found, default=None)


def _there(path: Path) -> Path | None:
    """The nearest folder above it that is there."""
    return next((each for each in (path, *path.parents) if each.exists()), None)
