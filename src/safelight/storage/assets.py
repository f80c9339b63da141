"""Where assets live: any store that obstore speaks, `file://` by default.

Callers name objects by keys (`keys.py`) and never see paths, buckets or obstore. On local disk a `put` has
reached the disk when it returns: a job is only finished after its assets would survive a power cut.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, cast
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError

from safelight.domain.errors import Gone, Remedy, StorageFailed
from safelight.storage.keys import ROOT, checked_key, may_hold, mime_of, name_of
from safelight.storage.local_disk import flush_to_disk, make_private, partial_files
from safelight.storage.opening import local_root, open_store
from safelight.storage.troubles import knows_no_create, storage_failed
from safelight.telemetry.redact import redact

if TYPE_CHECKING:
    from obstore import Attributes, GetOptions, ObjectMeta
    from obstore.store import ObjectStore, S3Store

CHUNK_BYTES = 256 * 1024
SMALL_BYTES = 16 * 1024 * 1024
"""Up to here an object is written in one piece, create-only; above, in several, which S3 cannot make so."""
PART_BYTES, PARTS_AT_ONCE = 8 * 1024 * 1024, 3
"""What a large object takes of memory is their product."""


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
        self.root = local_root(url)
        """The folder, if the store is on local disk; else None."""
        self._kept: set[Path] = set()
        with self._failures("open"):
            if self.root is not None:
                make_private(self.root)
            self._store: ObjectStore = open_store(url)

    async def put(self, key: str, data: bytes) -> None:
        """Store an object; that the same bytes are there already is fine. Durable when it returns."""
        key = checked_key(key)
        with self._failures("write", key):
            if len(data) > SMALL_BYTES:
                await self._put_large(key, data, await asyncio.to_thread(_sha256, data))
            else:
                await self._put_small(key, data)
            await self._flush(key)

    async def put_file(self, key: str, file: IO[bytes], size_bytes: int, sha256: str) -> None:
        """The same from an open file, read from its start; a large one is never in memory as a whole."""
        key = checked_key(key)
        await asyncio.to_thread(file.seek, 0)
        if size_bytes <= SMALL_BYTES:
            await self.put(key, await asyncio.to_thread(file.read))
            return
        with self._failures("write", key):
            await self._put_large(key, file, sha256)
            await self._flush(key)

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

    async def delete_partial(self, before: float, *, dry_run: bool) -> tuple[int, int]:
        """Remove what killed writers left half-written on local disk before a moment; how many files and bytes.

        An object store keeps such parts out of sight: a rule of the bucket's own removes them.
        """
        if self.root is None:
            return 0, 0
        with self._failures("clear", ROOT):
            return await asyncio.to_thread(_delete_partial, self.root, before, dry_run)

    def free_disk_bytes(self) -> int | None:
        """Free space where assets go; None for an object store, which has no such limit."""
        return None if self.root is None else shutil.disk_usage(self.root).free

    async def check(self) -> None:
        """Whether an object store lets us write and read. Raises StorageFailed; its `trouble` tells what to expect."""
        if self.root is None:
            await self.reach()
            await self.now()

    async def reach(self) -> None:
        """Whether an object store lets us look: as often as anybody likes."""
        if self.root is None:
            with self._failures("list"):
                async for _ in obstore.list(self._store, ROOT, chunk_size=1):
                    return

    async def signed_url(self, key: str, lifetime_s: float, method: Literal["GET", "PUT"] = "GET") -> str | None:
        """An address of the object store's own under which anybody may read it (or write it, by PUT) for so long.

        None on local disk.
        """
        if self.root is not None or self.url.startswith("memory:"):
            return None
        with self._failures("sign an address of", checked_key(key)):
            store = cast("S3Store", self._store)
            return await obstore.sign_async(store, method, key, timedelta(seconds=lifetime_s))

    async def origin(self) -> str | None:
        """`https://host:port` of those addresses."""
        url = await self.signed_url(ROOT, 1.0)
        return None if url is None else "{0.scheme}://{0.netloc}".format(urlsplit(url))

    async def _put_small(self, key: str, data: bytes) -> None:
        try:
            await obstore.put_async(self._store, key, data, mode="create", attributes=self._attributes(key))
        except AlreadyExistsError:
            await self._keep_or_mend(key, data)
        except (BaseError, RuntimeError) as error:
            if not knows_no_create(error):
                raise
            await obstore.put_async(self._store, key, data, attributes=self._attributes(key))

    async def _put_large(self, key: str, data: bytes | IO[bytes], sha256: str) -> None:
        """Over what is there: call and hash in the name say that it is the same, or was left short."""
        if not may_hold(key, sha256):
            raise _taken(self.url, key, "The bytes are not those that the name promises")
        await obstore.put_async(
            self._store,
            key,
            data,
            attributes=self._attributes(key),
            use_multipart=True,
            chunk_size=PART_BYTES,
            max_concurrency=PARTS_AT_ONCE,
        )

    async def _flush(self, key: str) -> None:
        if self.root is not None:
            await asyncio.to_thread(flush_to_disk, self.root, key, self._kept)

    def _attributes(self, key: str) -> Attributes | None:
        """What an object store is to say when it hands the object out by itself."""
        if self.root is not None:
            return None
        return {
            "Content-Type": mime_of(key),
            "Content-Disposition": f'inline; filename="{name_of(key)}"',
            "Cache-Control": "private, max-age=3600, immutable",
        }

    async def _keep_or_mend(self, key: str, data: bytes) -> None:
        """Someone stored this key before. A power cut may have left it short: then the right bytes replace it."""
        answer = await obstore.get_async(self._store, key)
        if bytes(await answer.bytes_async()) == data:
            return
        if not may_hold(key, _sha256(data)):
            raise _taken(self.url, key, "Something else is already stored under this name")
        await obstore.put_async(self._store, key, data, mode="overwrite", attributes=self._attributes(key))

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
        return storage_failed(self.url, self.root, verb, key, error)


def _taken(url: str, key: str, what: str) -> StorageFailed:
    return StorageFailed(
        f"{what}: {key!r}.",
        remedy=Remedy("Nothing was overwritten. Retry the job: a new call gets a new name."),
        evidence={"store": url, "key": key},
    )


def _delete_partial(root: Path, before: float, dry_run: bool) -> tuple[int, int]:
    files = size_bytes = 0
    for path, size in partial_files(root, before):
        files, size_bytes = files + 1, size_bytes + size
        if not dry_run:
            path.unlink(missing_ok=True)
    return files, size_bytes


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _described(meta: ObjectMeta) -> StoredObject:
    etag = meta["e_tag"]
    return StoredObject(
        key=meta["path"],
        size_bytes=meta["size"],
        modified_at=meta["last_modified"].timestamp(),
        etag=etag.strip('"') if etag else None,
    )
