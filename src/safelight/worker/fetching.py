"""Files that are still at a provider: streamed to a temporary file, through the guard against private addresses.

Temporary files have no names, so whatever ends a process leaves none behind. Nothing is tried again here.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from safelight.domain.errors import Remedy, StorageFailed
from safelight.domain.outcomes import RemoteFile
from safelight.net.errors import BadAnswer, FetchError, RefusedTarget, TooManyBytes
from safelight.net.guarded import Fetched, Guarded
from safelight.storage.sniffing import FILMS, HEAD_BYTES, sniffed
from safelight.worker.finishing import Spoiled

PIECE_BYTES = 1024 * 1024
"""Written at a time, in a thread."""


class NotFetched(Exception):
    """The file is not here. The text is fit for users."""

    def __init__(self, what: str, *, can_get_better: bool) -> None:
        super().__init__(what)
        self.can_get_better = can_get_better
        """Else it is gone: such addresses expire."""


@dataclass(frozen=True, slots=True)
class Fetching:
    """How, and how much at most."""

    guarded: Guarded = field(default_factory=Guarded)
    places: Mapping[str, str] = field(default_factory=dict)
    """By provider, the `host:port` where the operator has put it: that one may be private."""
    folder: Path | None = None
    """Where temporary files go; None is the system's place."""
    picture_bytes: int = 100 * 1024 * 1024
    film_bytes: int = 2 * 1024**3

    def new_file(self) -> IO[bytes]:
        """Empty, gone when it is closed. In a thread."""
        return tempfile.TemporaryFile(dir=self.folder)

    def free_disk_bytes(self) -> int | None:
        """Free space where temporary files go; None where the system decides. Raises OSError."""
        return None if self.folder is None else shutil.disk_usage(self.folder).free

    async def fetch(self, remote: RemoteFile, provider: str, within_s: float) -> tuple[IO[bytes], str]:
        """The file, open, and what its server calls it. Raises NotFetched, Spoiled, StorageFailed for a full disk."""
        file = await asyncio.to_thread(self.new_file)
        try:
            return file, await self._fill(file, remote, provider, within_s)
        except BaseException:
            file.close()
            raise

    async def _fill(self, file: IO[bytes], remote: RemoteFile, provider: str, within_s: float) -> str:
        own = [self.places[provider]] if provider in self.places else []
        try:
            async with self.guarded.stream(
                remote.url, limit_bytes=self.film_bytes, within_s=within_s, headers=remote.headers, exempt=own
            ) as fetched:
                await self._copy(fetched, file)
                return fetched.mime
        except (RefusedTarget, TooManyBytes) as error:
            raise Spoiled(str(error)) from error
        except FetchError as error:
            raise _not_fetched(error, remote) from error

    async def _copy(self, fetched: Fetched, file: IO[bytes]) -> None:
        waiting, written, limit_bytes = bytearray(), 0, self.film_bytes
        async for piece in fetched.pieces:
            waiting += piece
            if not written and len(waiting) >= HEAD_BYTES and sniffed(bytes(waiting[:HEAD_BYTES])) not in FILMS:
                limit_bytes = self.picture_bytes
            if written + len(waiting) > limit_bytes:
                raise TooManyBytes(f"{fetched.source} has more than the {limit_bytes} bytes that are taken.")
            if len(waiting) >= PIECE_BYTES:
                await asyncio.to_thread(_write, file, bytes(waiting))
                written += len(waiting)
                waiting.clear()
        await asyncio.to_thread(_write, file, bytes(waiting))


def _not_fetched(error: FetchError, remote: RemoteFile) -> NotFetched:
    if not isinstance(error, BadAnswer) or error.status != 404:
        return NotFetched(str(error), can_get_better=error.can_get_better)
    if remote.may_come_later:
        return NotFetched(f"{error} The file is not there yet.", can_get_better=True)
    return NotFetched(f"{error} The file is not there, or no longer.", can_get_better=False)


def _write(file: IO[bytes], data: bytes) -> None:
    try:
        file.write(data)
        file.flush()
    except OSError as error:
        raise StorageFailed(
            f"Cannot keep a file while it is fetched: {error.strerror or error}.",
            remedy=Remedy("Free some space where SAFELIGHT_DATA_DIR is.", "df -h"),
            evidence={"reason": str(error)},
        ) from error
