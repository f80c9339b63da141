"""Where assets live: any store that obstore speaks, `file://` by default.

Callers name objects by keys (`keys.py`) and never see paths, buckets or obstore. On local disk a `put` has
reached the disk when it returns: a job is only finished after its assets would survive a power cut.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import from_url

from safelight.domain.errors import Gone, Remedy, StorageFailed
from safelight.storage.keys import checked_key, may_hold
from safelight.telemetry.redact import redact

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta
    from obstore.store import ObjectStore

CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What the store knows about an object. `etag` is the store's own, without quotes."""

    key: str
    size_bytes: int
    modified_at: float
    """Epoch seconds by the store's clock."""
    etag: str | None


class AssetStore:
    """One store. Safe to share between tasks; needs no closing."""

    def __init__(self, url: str) -> None:
        """Open the store; a local folder is made, for its owner only. Raises StorageFailed."""
        self.url = redact(url)
        self.root = _local_root(url)
        """The folder, if the store is on local disk; else None."""
        self._kept: set[Path] = set()
        with self._failures("open"):
            if self.root is not None:
                _make_private(self.root)
            self._store: ObjectStore = from_url(url, automatic_cleanup=True) if self.root else from_url(url)

    async def put(self, key: str, data: bytes) -> None:
        """Store an object; that the same bytes are there already is fine. Durable when it returns."""
        key = checked_key(key)
        with self._failures("write", key):
            try:
                await obstore.put_async(self._store, key, data, mode="create")
            except AlreadyExistsError:
                await self._keep_or_mend(key, data)
            if self.root is not None:
                await asyncio.to_thread(_flush_to_disk, self.root, key, self._kept)

    async def get(self, key: str, byte_range: tuple[int, int] | None = None) -> bytes:
        """All bytes, or those from the first position up to, not including, the second. Raises Gone."""
        with self._failures("read", checked_key(key)):
            if byte_range is None:
                answer = await obstore.get_async(self._store, key)
                return bytes(await answer.bytes_async())
            start, end = byte_range
            return bytes(await obstore.get_range_async(self._store, key, start=start, end=end))

    async def stream(self, key: str, byte_range: tuple[int, int] | None = None) -> AsyncIterator[bytes]:
        """The same in pieces, for large objects. Raises Gone before the first piece."""
        with self._failures("read", checked_key(key)):
            options: GetOptions = {"range": byte_range} if byte_range else {}
            answer = await obstore.get_async(self._store, key, options=options)
            async for chunk in answer.stream(min_chunk_size=CHUNK_BYTES):
                yield bytes(chunk)

    async def head(self, key: str) -> StoredObject | None:
        """What is stored under the key; None if nothing is."""
        with self._failures("look at", checked_key(key)):
            try:
                return _described(await obstore.head_async(self._store, key))
            except FileNotFoundError:
                return None

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; one that is not there is as good as removed."""
        for key in keys:
            with self._failures("delete", checked_key(key)):
                try:
                    await obstore.delete_async(self._store, key)
                except FileNotFoundError:
                    continue

    async def list(self, prefix: str) -> AsyncIterator[StoredObject]:
        """Every object below a prefix of whole segments, such as `assets/{job}`."""
        with self._failures("list", checked_key(prefix)):
            async for page in obstore.list(self._store, prefix):
                for meta in page:
                    yield _described(meta)

    async def now(self) -> float:
        """Epoch seconds by the store's clock, which alone tells how old an object is. Stores a byte to ask it."""
        key = f"clock-{secrets.token_hex(8)}"
        with self._failures("write", key):
            await obstore.put_async(self._store, key, b".")
            asked = _described(await obstore.head_async(self._store, key))
        await self.delete([key])
        return asked.modified_at

    def free_disk_bytes(self) -> int | None:
        """Free space where assets go; None for an object store, which has no such limit."""
        return None if self.root is None else shutil.disk_usage(self.root).free

    async def _keep_or_mend(self, key: str, data: bytes) -> None:
        """Someone stored this key before. A power cut may have left it short: then the right bytes replace it."""
        answer = await obstore.get_async(self._store, key)
        if bytes(await answer.bytes_async()) == data:
            return
        if not may_hold(key, hashlib.sha256(data).hexdigest()):
            raise StorageFailed(
                f"Something else is already stored as {key!r}.",
                remedy=Remedy("Nothing was overwritten. Retry the job: a new call gets a new name."),
                evidence={"store": self.url, "key": key},
            )
        await obstore.put_async(self._store, key, data, mode="overwrite")

    @contextmanager
    def _failures(self, verb: str, key: str | None = None) -> Iterator[None]:
        """Turn what obstore and the system raise into errors that say what to do."""
        try:
            yield
        except FileNotFoundError as error:
            if key is None or verb != "read":
                raise self._failed(verb, key, error) from error
            raise Gone(
                f"The file {key!r} is no longer in storage.",
                remedy=Remedy("Generate it again; if files should be there, check SAFELIGHT_STORAGE_URL."),
                evidence={"store": self.url, "key": key},
            ) from error
        except (BaseError, OSError, ValueError) as error:
            raise self._failed(verb, key, error) from error

    def _failed(self, verb: str, key: str | None, error: Exception) -> StorageFailed:
        reason = redact(str(error).split("\n", 1)[0])
        free = _free_disk_bytes(self.root)
        place = f"{key!r} in {self.url}" if key else self.url
        return StorageFailed(
            f"Cannot {verb} {place}: {reason}",
            remedy=_remedy(self.root, free),
            evidence={"store": self.url, "key": key, "reason": reason, "free_disk_bytes": free},
        )


def _local_root(url: str) -> Path | None:
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def _make_private(root: Path) -> None:
    """Make the folder, readable by its owner only; one that is there already keeps its mode."""
    if not root.is_dir():
        root.parent.mkdir(parents=True, exist_ok=True)
        root.mkdir(mode=0o700, exist_ok=True)
    if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        raise PermissionError(f"no permission to read and write {root}")


def _flush_to_disk(root: Path, key: str, kept: set[Path]) -> None:
    """fsync the file, then the folders on the way up whose entries may be new. obstore does neither.

    `kept` are folders above those of single jobs that are on disk already, with their names.
    """
    path = root / key
    _fsync(path)
    folder = path.parent
    _fsync(folder)
    while folder != root and folder not in kept:
        if folder != path.parent:
            kept.add(folder)
        folder = folder.parent
        _fsync(folder)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _described(meta: ObjectMeta) -> StoredObject:
    etag = meta["e_tag"]
    return StoredObject(
        key=meta["path"],
        size_bytes=meta["size"],
        modified_at=meta["last_modified"].timestamp(),
        etag=etag.strip('"') if etag else None,
    )


def _free_disk_bytes(root: Path | None) -> int | None:
    try:
        return None if root is None else shutil.disk_usage(root).free
    except OSError:
        return None


def _remedy(root: Path | None, free: int | None) -> Remedy:
    if root is None:
        return Remedy("Check SAFELIGHT_STORAGE_URL and the store's credentials.", "safelight settings")
    if free is not None and free < 64 * 1024 * 1024:
        return Remedy("Free some disk space.", f"df -h {root}")
    return Remedy("Check that the folder exists and belongs to the user Safelight runs as.", f"ls -ld {root}")
