"""Uploads that go straight to an object store: an address is handed out, and what came there is looked at afterwards.

The address holds on for a while, so what was looked at is copied to a name that nobody else can write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.errors import CallerError, Conflict, NotFound, Remedy
from safelight.domain.ids import new_id
from safelight.services import uploads
from safelight.services.intake import Intake
from safelight.services.sql import NOW, REAL, arg
from safelight.services.uploads import NewUpload, Upload
from safelight.storage.keys import incoming_key, upload_key
from safelight.storage.pictures import Picture, RefusedPicture
from safelight.store import tables
from safelight.store.statements import Change
from safelight.store.tx import Tx

ADDRESS_LIVES_S = 15 * 60.0
HELD_S = 3600.0
"""An upload that nobody completes goes after this time."""

_uploads = tables.uploads
_COMPLETE = Change(
    sa.update(_uploads)
    .where(_uploads.c.id == arg("public_id"), _uploads.c.stored_at.is_(None), _uploads.c.removing_at.is_(None))
    .values(
        key=arg("new_key"),
        mime=arg("new_mime"),
        bytes=arg("new_bytes", sa.BigInteger()),
        width=arg("new_width", sa.Integer()),
        height=arg("new_height", sa.Integer()),
        sha256=arg("new_hash"),
        expires_at=arg("until", REAL),
        stored_at=NOW,
    )
)


class Address(NamedTuple):
    """Where the bytes of an upload may be put, by anybody who knows it."""

    upload: Upload
    url: str
    lives_s: float


def complete_upload(tx: Tx, upload_id: str, key: str, picture: Picture, lives_s: float) -> bool:
    """What came is a picture, and stored under its own name. False where somebody else has said so before."""
    values = {"new_key": key, "new_mime": picture.mime, "new_bytes": len(picture.data), "new_hash": picture.sha256}
    size = {"new_width": picture.width, "new_height": picture.height}
    return tx.run(_COMPLETE, public_id=upload_id, until=tx.now + lives_s, at_now=tx.now, **values, **size) == 1


@dataclass(frozen=True, slots=True)
class Presigned:
    intake: Intake

    async def address(self, user_id: str) -> Address:
        """A new upload and its address. Counts as the largest picture until it is completed.

        Raises Conflict where files are on local disk, and RateLimited.
        """
        upload_id, rules, store = new_id(), self.intake.rules, self.intake.store
        key = incoming_key(upload_id)
        url = await store.signed_url(key, ADDRESS_LIVES_S, method="PUT")
        if url is None:
            raise _no_addresses(store.url)
        new = NewUpload(upload_id, user_id, key, "", rules.most_bytes, 0, 0, "")
        kept = await self.intake.database.write(uploads.reserve_upload, new, HELD_S, rules.quota_bytes)
        if isinstance(kept, CallerError):
            raise kept
        return Address(kept, url, ADDRESS_LIVES_S)

    async def complete(self, upload_id: str, user_id: str) -> Upload:
        """Look at what came. May be asked again. Raises NotFound, Conflict, RefusedPicture, Unavailable."""
        read = self.intake.database.read
        found = await read(uploads.upload_of, upload_id, user_id)
        if found is None:
            raise no_such_upload()
        if found.stored_at is None:
            await self._take_in(found)
            found = await read(uploads.upload_of, upload_id, user_id)
        if found is None:
            raise no_such_upload()
        return found

    async def _take_in(self, upload: Upload) -> None:
        intake, incoming = self.intake, incoming_key(upload.id)
        stored = await intake.store.head(incoming)
        if stored is None:
            raise _nothing_came(upload)
        if stored.size_bytes == 0:
            raise RefusedPicture("is empty")
        if stored.size_bytes > intake.rules.most_bytes:
            raise RefusedPicture(f"has {stored.size_bytes} bytes; at most {intake.rules.most_bytes} are taken")
        with intake.memory.share() as share:
            share.take(stored.size_bytes)
            data = await intake.store.get(incoming, (0, stored.size_bytes))
            picture = await intake.look_at(data, "")
            key = upload_key(upload.id, picture.sha256, picture.mime)
            await intake.store.put(key, picture.data)
            await intake.database.write(complete_upload, upload.id, key, picture, intake.rules.lives_s)
        await intake.store.delete([incoming])


def no_such_upload() -> NotFound:
    return NotFound("There is no such upload.", remedy=Remedy("Upload it again: unused ones go after a day."))


def _no_addresses(store: str) -> Conflict:
    kind = store.partition(":")[0]
    return Conflict(
        f"Files of this installation are kept in {kind} storage, to which no addresses are handed out.",
        remedy=Remedy("Send the picture itself, as multipart/form-data.", "curl -F file=@picture.png …/api/uploads"),
    )


def _nothing_came(upload: Upload) -> Conflict:
    return Conflict(
        f"Nothing has come yet for upload {upload.id}.",
        remedy=Remedy("PUT the bytes to its address first; if that has expired, ask for another upload."),
    )
