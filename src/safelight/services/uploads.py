"""Pictures that users brought: a row before the file, and after it. What no job uses is removed when its day is over.

A row is locked before anybody counts on it or lets go of it: a submit and the removal of what it names exclude each
other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.errors import CallerError, Conflict, InvalidParams, RateLimited, Remedy
from safelight.services.credits import open_accounts
from safelight.services.sql import INTEGER, NOW, REAL, arg
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

uploads, job_inputs = tables.uploads, tables.job_inputs

SLICE = 200


class NewUpload(NamedTuple):
    """A picture that was looked at and is about to be stored; without hash, one that will come by an address."""

    id: str
    user_id: str
    key: str
    mime: str
    bytes: int
    width: int
    height: int
    sha256: str


class Upload(NamedTuple):
    number: int
    id: str
    user_id: str
    key: str
    mime: str
    bytes: int
    width: int
    height: int
    sha256: str
    expires_at: float | None
    """When it goes; None while a job names it."""
    stored_at: float | None
    """None until its file is in storage."""


class Leaving(NamedTuple):
    """An upload whose file is to be deleted, and then its row."""

    number: int
    id: str
    key: str


class JobUser(NamedTuple):
    """A job that counts as a user of uploads."""

    job: int
    there: int | None
    """The same, or None if there is no such job."""


class _Sum(NamedTuple):
    bytes: int


class _Key(NamedTuple):
    key: str


class _Number(NamedTuple):
    number: int


_UPLOAD = [uploads.c[name] for name in Upload._fields]
_stays = uploads.c.removing_at.is_(None)
_unused = sa.not_(sa.exists().where(job_inputs.c.upload == uploads.c.number).correlate(uploads))
_other = job_inputs.alias("other")
_numbers: sa.BindParameter[int] = sa.bindparam("numbers", expanding=True)
_COLUMNS = (*NewUpload._fields, "created_at", "expires_at")
_INSERT = Query(sa.insert(uploads).returning(uploads.c.number), _Number, columns=_COLUMNS)
_BY_ID = Query(sa.select(*_UPLOAD).where(uploads.c.id == arg("public_id"), _stays), Upload)
_same = (
    sa.select(*_UPLOAD)
    .where(uploads.c.user_id == arg("owner"), uploads.c.sha256 == arg("hash"), _stays)
    .order_by(uploads.c.number)
    .limit(1)
)
_SAME, _SAME_AND_LOCK = Query(_same, Upload), Query(_same.with_for_update(), Upload)
_PROLONG = Change(
    sa.update(uploads)
    .where(uploads.c.number == arg("upload", INTEGER), uploads.c.expires_at.is_not(None))
    .values(expires_at=arg("until", REAL))
)
_UNUSED_BYTES = Query(
    sa.select(sa.func.coalesce(sa.func.sum(uploads.c.bytes), 0)).where(
        uploads.c.user_id == arg("owner"), uploads.c.expires_at.is_not(None), _stays
    ),
    _Sum,
)
_STORED = Change(
    sa.update(uploads).where(uploads.c.id == arg("public_id"), uploads.c.stored_at.is_(None)).values(stored_at=NOW)
)
_STILL_THERE = Query(
    sa.select(uploads.c.number).where(uploads.c.number.in_(_numbers), _stays, uploads.c.stored_at.is_not(None)), _Number
)
_USE = Change(sa.insert(job_inputs), columns=("job", "upload"))
_STAY = Change(sa.update(uploads).where(uploads.c.number == arg("upload", INTEGER)).values(expires_at=sa.null()))
_LET_GO = Change(
    sa.update(uploads)
    .where(
        uploads.c.number.in_(sa.select(job_inputs.c.upload).where(job_inputs.c.job.in_(_numbers))),
        sa.not_(
            sa.exists().where(_other.c.upload == uploads.c.number, _other.c.job.not_in(_numbers)).correlate(uploads)
        ),
    )
    .values(expires_at=NOW)
)
_its_job = sa.select(tables.jobs.c.number).where(tables.jobs.c.number == job_inputs.c.job).correlate(job_inputs)
_USERS = Query(
    sa.select(job_inputs.c.job, _its_job.scalar_subquery())
    .where(job_inputs.c.job > arg("after", INTEGER))
    .order_by(job_inputs.c.job)
    .limit(SLICE),
    JobUser,
)
_FORGET_USES = Change(sa.delete(job_inputs).where(job_inputs.c.job.in_(_numbers)))
_EXPIRED = Query(
    sa.select(uploads.c.number).where(uploads.c.expires_at < NOW, _stays).order_by(uploads.c.expires_at).limit(SLICE),
    _Number,
)
_LOCK = Query(
    sa.select(uploads.c.number)
    .where(uploads.c.number.in_(_numbers))
    .order_by(uploads.c.number)
    .with_for_update(skip_locked=True),
    _Number,
)
_MARK = Query(
    sa.update(uploads)
    .where(uploads.c.number.in_(_numbers), _stays, _unused)
    .values(removing_at=NOW)
    .returning(uploads.c.number),
    _Number,
)
_MARK_EXPIRED = Query(
    sa.update(uploads)
    .where(uploads.c.number.in_(_numbers), uploads.c.expires_at < NOW, _stays, _unused)
    .values(removing_at=NOW)
    .returning(uploads.c.number),
    _Number,
)
_LEAVING = Query(
    sa.select(uploads.c.number, uploads.c.id, uploads.c.key)
    .where(uploads.c.removing_at.is_not(None))
    .order_by(uploads.c.number)
    .limit(SLICE),
    Leaving,
)
_KEYS = Query(sa.select(uploads.c.key).where(uploads.c.key.in_(sa.bindparam("keys", expanding=True))), _Key)
_FORGET = Change(sa.delete(uploads).where(uploads.c.number.in_(_numbers), uploads.c.removing_at.is_not(None)))


def reserve_upload(tx: Tx, new: NewUpload, lives_s: float, quota_bytes: int) -> Upload | CallerError:
    """A row for a picture; the one that is there if the user brought the same bytes before. Its file comes next.

    The account's lock keeps two uploads of a user from both taking what is left of the quota. A submit locks uploads
    before accounts: nothing that is there is locked after the account.
    """
    same_bytes = {"owner": new.user_id, "hash": new.sha256}
    if new.sha256 and (same := tx.one(_SAME_AND_LOCK, **same_bytes)):
        until = tx.now + lives_s
        tx.run(_PROLONG, upload=same.number, until=until)
        return same._replace(expires_at=same.expires_at and until)
    tx.lock(tables.accounts, list(open_accounts(tx, [new.user_id]).values()))
    if new.sha256 and (just_made := tx.one(_SAME, **same_bytes)):
        return just_made
    until = tx.now + lives_s
    unused = unused_bytes(tx, new.user_id)
    if unused + new.bytes > quota_bytes:
        return _over_quota(new, unused, quota_bytes)
    row = tx.many(_INSERT, [{**new._asdict(), "created_at": tx.now, "expires_at": until}])[0]
    assert row is not None  # noqa: S101  # an INSERT without a conflict clause gives its row
    return Upload(row.number, *new, until, None)


def keep_upload(tx: Tx, upload_id: str) -> bool:
    """Its file is in storage: jobs may use it. False where it was before."""
    return tx.run(_STORED, public_id=upload_id, at_now=tx.now) == 1


def upload_of(tx: Tx, upload_id: str, user_id: str) -> Upload | None:
    """A user's upload; other people's are not there."""
    return uploads_of(tx, [upload_id], user_id)[0]


def uploads_of(tx: Tx, upload_ids: Sequence[str], user_id: str) -> list[Upload | None]:
    """The same for many, in order."""
    rows = tx.many(_BY_ID, [{"public_id": upload_id} for upload_id in upload_ids])
    return [row if row and row.user_id == user_id else None for row in rows]


def upload_file(tx: Tx, upload_id: str) -> Upload | None:
    """Whoever's it is, once its file is there: for who has its signed address."""
    found = tx.one(_BY_ID, public_id=upload_id)
    return found if found and found.stored_at is not None else None


def unused_bytes(tx: Tx, user_id: str) -> int:
    """What a user's uploads take that no job uses."""
    found = tx.one(_UNUSED_BYTES, owner=user_id)
    return int(found.bytes) if found else 0


def lock_uploads(tx: Tx, numbers: Sequence[int]) -> set[int]:
    """Lock these uploads; those that are still there, with their files. Take it before the locks of accounts."""
    wanted = sorted(set(numbers))
    if not wanted:
        return set()
    tx.lock(uploads, wanted)
    return {row.number for row in tx.all(_STILL_THERE, numbers=wanted)}


def use_uploads(tx: Tx, used: Sequence[tuple[int, int]]) -> None:
    """New jobs use uploads that `lock_uploads` found: pairs of a job's number and an upload's."""
    tx.many(_USE, [{"job": job, "upload": upload} for job, upload in dict.fromkeys(used)])
    tx.many(_STAY, [{"upload": upload} for upload in sorted({upload for _, upload in used})])


def let_go(tx: Tx, jobs: Sequence[int]) -> None:
    """These jobs are being removed: what no other job names goes with them."""
    tx.run(_LET_GO, numbers=list(jobs), at_now=tx.now)


def job_users(tx: Tx, after: int) -> list[JobUser]:
    """The next slice of jobs that count as users of uploads, in the order of their numbers."""
    return tx.all(_USERS, after=after)


def forget_uses(tx: Tx, gone: Sequence[int]) -> int:
    """These jobs are gone, and use nothing any more: a release that knows no inputs removed them."""
    let_go(tx, gone)
    return tx.run(_FORGET_USES, numbers=list(gone))


def remove_upload(tx: Tx, upload_id: str, user_id: str) -> Upload | CallerError | None:
    """A user wants it gone; None if it is not there. Refused while a job names it: a rerun would miss it."""
    found = upload_of(tx, upload_id, user_id)
    if found is None:
        return None
    tx.lock(uploads, [found.number])
    return found if tx.all(_MARK, numbers=[found.number], at_now=tx.now) else _in_use(found)


def expired(tx: Tx) -> list[int]:
    """A slice of those whose time is over and that no job uses."""
    return [row.number for row in tx.all(_EXPIRED, at_now=tx.now)]


def mark_expired(tx: Tx, numbers: Sequence[int]) -> int:
    """Mark those of these that `expired` found; they are judged again once they are locked."""
    locked = [row.number for row in tx.all(_LOCK, numbers=numbers)]
    return len(tx.all(_MARK_EXPIRED, numbers=locked, at_now=tx.now))


def leaving(tx: Tx) -> list[Leaving]:
    """A slice of uploads whose files are to be deleted."""
    return tx.all(_LEAVING)


def of_no_upload(tx: Tx, keys: Sequence[str]) -> list[str]:
    """Which of these files no row names: what a database that was restored does not know."""
    known = {row.key for row in tx.all(_KEYS, keys=list(keys))}
    return [key for key in keys if key not in known]


def forget_uploads(tx: Tx, numbers: Sequence[int]) -> int:
    """Their files are gone: remove their rows."""
    return tx.run(_FORGET, numbers=list(numbers))


def upload_is_gone() -> InvalidParams:
    """Between the look at it and the submit that names it."""
    text = "an upload that is named here is no longer there; upload it again"
    return InvalidParams(f"inputs: {text}", errors={"inputs": [text]})


def _over_quota(new: NewUpload, unused: int, quota_bytes: int) -> RateLimited:
    return RateLimited(
        f"Your uploads that no job uses take {unused} bytes; with these {new.bytes} it would be more than the "
        f"{quota_bytes} that are kept.",
        remedy=Remedy("Submit the jobs they are for, or remove some with DELETE /api/uploads/{id}."),
        evidence={"unused_bytes": unused, "quota_bytes": quota_bytes},
    )


def _in_use(upload: Upload) -> Conflict:
    return Conflict(
        f"Upload {upload.id} is the input of a job and stays as long as that job.",
        remedy=Remedy("Nothing needs to be done: it goes with the last job that names it."),
    )
