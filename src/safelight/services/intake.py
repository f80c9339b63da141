"""Bringing pictures in: uploads, URLs and data URIs become files of their user.

Nothing here is a use case: it joins looking, storing and the use cases of `uploads.py`.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from dataclasses import dataclass, field

from safelight.domain.clock import local_s
from safelight.domain.errors import CallerError
from safelight.domain.ids import new_id
from safelight.net.guarded import Guarded
from safelight.services import uploads
from safelight.services.memory import Memory
from safelight.services.uploads import NewUpload, Upload
from safelight.storage.assets import AssetStore
from safelight.storage.keys import upload_key
from safelight.storage.pictures import Picture, RefusedPicture, checked_picture
from safelight.store.database import Database

FETCH_WITHIN_S = 30.0
LOOKED_AT_ONCE = 2
"""Pictures that are decoded at one time: each may take some hundred megabytes for a moment."""
LOOK_WITHIN_S = 10.0
"""Between two pieces that are read; what is read in one piece is bounded by its pixels."""
_DATA_URI = re.compile(r"data:(?P<mime>[A-Za-z0-9.+/-]*)(?P<rest>(?:;[A-Za-z0-9=.+/-]*)*),(?P<data>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class IntakeRules:
    """What the operator allows."""

    most_bytes: int
    most_pixels: int
    quota_bytes: int
    """Of one user, for uploads that no job uses."""
    lives_s: float = 24 * 3600.0
    public_url: str | None = None


@dataclass(frozen=True, slots=True)
class Intake:
    database: Database
    store: AssetStore
    guarded: Guarded
    rules: IntakeRules
    memory: Memory
    _looking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LOOKED_AT_ONCE))

    async def keep(self, user_id: str, picture: Picture) -> Upload:
        """Store what was looked at for its user. Raises RateLimited (quota), StorageFailed or Unavailable."""
        upload_id = new_id()
        new = NewUpload(
            upload_id,
            user_id,
            upload_key(upload_id, picture.sha256, picture.mime),
            picture.mime,
            len(picture.data),
            picture.width,
            picture.height,
            picture.sha256,
        )
        rules = self.rules
        kept = await self.database.write(uploads.reserve_upload, new, rules.lives_s, rules.quota_bytes)
        if isinstance(kept, CallerError):
            raise kept
        await self.store.put(kept.key, picture.data)
        await self.database.write(uploads.keep_upload, kept.id)
        return kept

    async def from_url(self, user_id: str, url: str) -> Upload:
        """Look at and keep what somebody else's server has. Raises FetchError and RefusedPicture as well."""
        with self.memory.share() as share:
            stream = self.guarded.stream(url, limit_bytes=self.rules.most_bytes, within_s=FETCH_WITHIN_S)
            async with stream as fetched:
                data = await share.read(fetched.pieces)
            return await self.keep(user_id, await self.look_at(data, fetched.mime))

    async def from_data(self, user_id: str, uri: str) -> Upload:
        """The same for a picture that stands in the request itself."""
        claimed, data = read_data_uri(uri)
        if len(data) > self.rules.most_bytes:
            raise RefusedPicture(f"has {len(data)} bytes; at most {self.rules.most_bytes} are taken")
        return await self.keep(user_id, await self.look_at(data, claimed))

    async def look_at(self, data: bytes, claimed: str) -> Picture:
        """In a thread, a few at a time. Raises RefusedPicture, also for one that takes too long.

        Canceled while it waits for its turn it is never begun; later, its thread stops where it next reads.
        """
        async with self._looking:
            watch = _Watch(local_s() + LOOK_WITHIN_S)
            looking = asyncio.ensure_future(
                asyncio.to_thread(checked_picture, data, claimed, self.rules.most_pixels, watch.too_long)
            )
            try:
                return await asyncio.shield(looking)
            except asyncio.CancelledError:
                watch.given_up = True
                await asyncio.wait({looking})  # its place is taken until then
                looking.exception()
                raise


@dataclass(slots=True)
class _Watch:
    """On a look in its thread."""

    until_s: float
    given_up: bool = False

    def too_long(self) -> str | None:
        late = self.given_up or local_s() > self.until_s
        return f"takes longer than {LOOK_WITHIN_S:g} s to read" if late else None


def read_data_uri(uri: str) -> tuple[str, bytes]:
    """What it says it is, and its bytes. Raises RefusedPicture."""
    found = _DATA_URI.fullmatch(uri)
    if found is None or not found["rest"].lower().endswith(";base64"):
        raise RefusedPicture("is not given as data:image/…;base64,…")
    try:
        return found["mime"], base64.b64decode(found["data"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusedPicture(f"is not valid base64: {error}") from error
