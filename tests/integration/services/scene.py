"""Words to set a scene with: users with credits, live workers, submissions; and to look at and turn back rows."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any, NamedTuple

import sqlalchemy as sa

from safelight.domain.jobs import LIVE, Status
from safelight.ledger.entries import grant
from safelight.services import installation, presence
from safelight.services.assets import NewAsset
from safelight.services.calls import CallOutcome, Sending, sending
from safelight.services.claim import claim
from safelight.services.claimable import ClaimedJob
from safelight.services.credits import Books, open_accounts
from safelight.services.finish import Ending, finish
from safelight.services.pause import resume
from safelight.services.sql import INTEGER, REAL, arg
from safelight.services.submission import Submission, Submitted
from safelight.services.submit import submit
from safelight.services.submit_batch import BatchSubmission, submit_batch
from safelight.store import tables
from safelight.store.database import Database
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx
from safelight.testing.books import assert_books_balance

_numbers = count(1)


def _rows_of(table: sa.Table, name: str) -> Any:
    return namedtuple(name, [column.name for column in table.columns])  # its fields are the table's


JobRow, CallRow = _rows_of(tables.jobs, "JobRow"), _rows_of(tables.calls, "CallRow")
_JOB = Query(sa.select(*tables.jobs.c).where(tables.jobs.c.id == arg("public_id")), JobRow)
_JOBS = Query(sa.select(*tables.jobs.c).order_by(tables.jobs.c.number), JobRow)
_CALLS = Query(
    sa.select(*tables.calls.c).where(tables.calls.c.job == arg("of_job", INTEGER)).order_by(tables.calls.c.number),
    CallRow,
)
_LEDGER_ROW = _rows_of(tables.ledger, "LedgerRow")
_LEDGER = Query(
    sa.select(*tables.ledger.c).where(tables.ledger.c.job == arg("of_job", INTEGER)).order_by(tables.ledger.c.number),
    _LEDGER_ROW,
)
_ASSET_ROW = _rows_of(tables.assets, "AssetRow")
_ASSETS = Query(
    sa.select(*tables.assets.c).where(tables.assets.c.job == arg("of_job", INTEGER)).order_by(tables.assets.c.n),
    _ASSET_ROW,
)


class Told(NamedTuple):
    sequence: int
    type: str
    payload: str


class Tag(NamedTuple):
    tag: float


_EVENTS = Query(
    sa.select(tables.events.c.sequence, tables.events.c.type, tables.events.c.payload)
    .where(tables.events.c.job == arg("of_job", INTEGER))
    .order_by(tables.events.c.sequence),
    Told,
)
_TAG = Query(
    sa.select(tables.fair_tags.c.tag).where(
        tables.fair_tags.c.user_id == arg("owner"), tables.fair_tags.c.queue == arg("line")
    ),
    Tag,
)
_of_job = tables.jobs.c.number == arg("this_job", INTEGER)
_MOVE_TIME = {
    name: Change(sa.update(tables.jobs).where(_of_job).values({name: arg("moved_to", REAL)}))
    for name in (
        "due_at",
        "deadline_at",
        "claimed_at",
        "start_at",
        "started_at",
        "created_at",
        "finished_at",
        "cancel_requested_at",
    )
}
_SENT_AT = Change(
    sa.update(tables.calls).where(tables.calls.c.id == arg("call_id")).values(sending_at=arg("moved_to", REAL))
)
_PAUSE = Change(
    sa.update(tables.queues).where(tables.queues.c.name == arg("line")).values(paused_at=arg("since", REAL))
)


class _Curtain(Exception):
    """The scene is over."""


def fund(tx: Tx, user: str, credits: int = 1_000) -> None:
    """Grant credits."""
    account = open_accounts(tx, [user])[user]
    books = Books.of_accounts(tx, [account])
    books.post(account, grant(credits, reference=f"grant-{next(_numbers)}"))
    books.close()


def hire(tx: Tx, *names: str) -> None:
    """Register live workers."""
    for name in names:
        presence.register(tx, presence.Registration(
            name, "worker", "host", "boot", 1, "1", None, "database", None, '["image"]', '["fake"]', 4, "0"
        ))  # fmt: skip


def set_scene(
    tx: Tx, *, users: Sequence[str] = ("ann",), credits: int = 1_000, workers: Sequence[str] = ("w1",)
) -> None:
    """Funded users, the queues `image` and `video`, live workers."""
    installation.open_queues(tx, ["image", "video"])
    for user in users:
        fund(tx, user, credits)
    hire(tx, *workers)


@contextmanager
def scene(database: Database, **given: Any) -> Iterator[Tx]:
    """A set scene in one transaction. At its end the books balance, and all of it is rolled back."""
    with suppress(_Curtain), database.transaction() as tx:
        set_scene(tx, **given)
        yield tx
        assert_books_balance(tx)
        raise _Curtain


def wish(name: str, user: str = "ann", **given: Any) -> Submission:
    """A submission; everything but its id has a default."""
    defaults: dict[str, Any] = {
        "kind": "image",
        "model": "fake",
        "queue": "image",
        "prompt": "a cat",
        "params": "{}",
        "outputs": 1,
        "price": 10,
        "share": 1.0,
        "max_wait_s": 3600.0,
        "run_limit_s": 600.0,
        "request_hash": "asked",
    }
    return Submission(id=name, user_id=user, **{**defaults, **given})


def submitted(tx: Tx, *names: str, **given: Any) -> None:
    """Submit jobs of these ids; every one is taken."""
    answers = submit(tx, [wish(name, **given) for name in names])
    assert answers == [Submitted(name) for name in names]


def batch_wish(name: str, items: Sequence[str], user: str = "ann", **given: Any) -> BatchSubmission:
    """A batch of items of these ids. What is given beside holds for every item, a key for the batch."""
    own = {part: given.pop(part) for part in ("key", "request_hash") if part in given}
    parent = wish(name, user, kind="batch", model="", queue="", prompt="", outputs=1, price=0, share=0.0, **own)
    return BatchSubmission(parent, tuple(wish(item, user, **given) for item in items))


def batched(tx: Tx, name: str, items: Sequence[str], **given: Any) -> None:
    """Submit a batch, which is taken."""
    assert submit_batch(tx, batch_wish(name, items, **given)) == Submitted(name)


def claimed(tx: Tx, *names: str, worker: str = "w1", **given: Any) -> list[ClaimedJob]:
    """Submit jobs and have a worker claim exactly these."""
    submitted(tx, *names, **given)
    jobs = {job.id: job for job in claim(tx, worker, ["image"], len(names))}
    assert set(jobs) == set(names)
    return [jobs[name] for name in names]


def running(tx: Tx, name: str, *, repeatable: bool = True, worker: str = "w1", **given: Any) -> ClaimedJob:
    """A claimed job with its call `call-<name>` in `sending`."""
    (job,) = claimed(tx, name, worker=worker, **given)
    assert send(tx, job, repeatable=repeatable, worker=worker)
    return job


def send(tx: Tx, job: ClaimedJob, *, call: str = "", repeatable: bool = True, worker: str = "w1") -> bool:
    start = Sending(call or f"call-{job.id}", job.number, job.fence, job.attempt, "fake", "m", repeatable, worker)
    return sending(tx, [start])[0]


def complete(tx: Tx, job: ClaimedJob, *, pictures: int = 1) -> bool:
    return finish(tx, [delivery(job, pictures=pictures)])[0]


def delivery(job: ClaimedJob, *, pictures: int = 1, call: CallOutcome | None = None) -> Ending:
    """The ending of a job that went well."""
    assets = [an_asset(f"{job.id}-{job.fence}-{n}", n) for n in range(pictures)]
    return Ending(job.number, job.fence, Status.COMPLETED, assets, None, call)


def an_asset(name: str, n: int = 0) -> NewAsset:
    return NewAsset(name, "call", n, f"assets/{name}.png", None, "image/png", 10, 4, 4, None, "sha", False)


def job(tx: Tx, name: str) -> Any:
    """The whole row of a job."""
    row = tx.one(_JOB, public_id=name)
    assert row is not None
    return row


def all_jobs(tx: Tx) -> list[Any]:
    return tx.all(_JOBS)


def calls_of(tx: Tx, number: int) -> list[Any]:
    return tx.all(_CALLS, of_job=number)


def ledger_of(tx: Tx, number: int) -> list[Any]:
    return tx.all(_LEDGER, of_job=number)


def assets_of(tx: Tx, number: int) -> list[Any]:
    return tx.all(_ASSETS, of_job=number)


def events_of(tx: Tx, number: int) -> list[Told]:
    return tx.all(_EVENTS, of_job=number)


def told(tx: Tx, number: int) -> list[str]:
    """The types of a job's stored events, in order."""
    return [event.type.removeprefix("job.") for event in events_of(tx, number)]


def tag_of(tx: Tx, user: str, queue: str = "image") -> float:
    row = tx.one(_TAG, owner=user, line=queue)
    return row.tag if row else 0.0


def turn_back(tx: Tx, number: int, column: str, seconds: float = 1.0) -> None:
    """Put one of a job's times into the past: as if it had been waiting."""
    assert tx.run(_MOVE_TIME[column], this_job=number, moved_to=tx.now - seconds) == 1


def turn_back_call(tx: Tx, call_id: str, seconds: float) -> None:
    """As if a call had been sent so long ago."""
    assert tx.run(_SENT_AT, call_id=call_id, moved_to=tx.now - seconds) == 1


def pause(tx: Tx, queue: str = "image", *, since_s: float = 0.0) -> None:
    """A queue that has been paused for so long."""
    assert tx.run(_PAUSE, line=queue, since=tx.now - since_s) == 1


def go_on(tx: Tx, queue: str = "image") -> None:
    """A paused queue is resumed."""
    while (done := resume(tx, queue)) and not done.goes_on:
        pass


def is_at_rest(row: Any) -> bool:
    """Whether an ended job holds nothing that could move it again."""
    return (
        row.status not in LIVE
        and row.settled
        and not (row.ready or row.resumes)
        and (row.worker_id, row.due_at, row.waiting_for) == (None, None, None)
        and row.finished_at is not None
    )
