"""Whole lives of instant jobs through the services: submit, claim, call recorded and accepted, finish with its asset.

What a worker process does around them (providers, files) is left out here; `worker.py` has it in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import sqlalchemy as sa

from safelight.domain.ids import new_id
from safelight.domain.jobs import LIVE, Status
from safelight.events.hub import Hub
from safelight.ledger.entries import grant
from safelight.queues.nudges import Nudges
from safelight.services import calls, installation, presence
from safelight.services.assets import NewAsset
from safelight.services.audit import audit
from safelight.services.calls import Accepted, CallOutcome, Sending
from safelight.services.claim import claim
from safelight.services.claimable import ClaimedJob
from safelight.services.credits import Books, open_accounts
from safelight.services.finish import Ending, finish
from safelight.services.sql import arg
from safelight.services.submission import Submission, Submitted
from safelight.services.submit import submit
from safelight.store import tables
from safelight.store.connect import open_database
from safelight.store.database import Database
from safelight.store.statements import Query, compile_all
from safelight.store.tx import Tx
from safelight.worker.machine import settle_memory

QUEUE, WORKER, MODEL, PROVIDER = "image", "worker-1", "fake", "fake"
USERS = tuple(f"user-{n}" for n in range(20))
PRICE, GRANT = 4, 10_000_000
SUBMITTERS, SLOTS = 200, 200
LOOK_AGAIN_S, LOOK_AT_ONCE_S = 2.0, 0.05


class _Count(NamedTuple):
    n: int


_jobs = tables.jobs.c
_OF_STATUS = {
    name: Query(sa.select(sa.func.count()).where(condition), _Count)
    for name, condition in (("live", _jobs.status.in_(sorted(LIVE))), ("completed", _jobs.status == "completed"))
}
READY_OF_USER = Query(
    sa.select(sa.func.count()).where(_jobs.queue == QUEUE, _jobs.ready, _jobs.user_id == arg("owner")), _Count
)


def set_scene(url: str) -> None:
    """Users with credits and the queue."""
    database = open_database(url)
    with database.transaction() as tx:
        installation.open_queues(tx, [QUEUE])
        accounts = open_accounts(tx, USERS)
        books = Books.of_accounts(tx, accounts.values())
        for user, account in accounts.items():
            books.post(account, grant(GRANT, reference=f"bench-{user}"))
        books.close()
    database.close()


def audited(url: str, count: int) -> int:
    """How many of `count` jobs did not complete, and how many complaints there are about the books."""
    database = open_database(url)
    with database.reading() as tx:
        missing = count - tx.all(_OF_STATUS["completed"])[0].n
        complaints = len(list(audit(tx)))
    database.close()
    return missing + complaints


def live_jobs(tx: Tx) -> int:
    """Jobs that have not ended."""
    return tx.all(_OF_STATUS["live"])[0].n


@asynccontextmanager
async def at_work(url: str) -> AsyncIterator[tuple[Database, Hub, Nudges]]:
    """A started database with every statement compiled, and whom its commits wake."""
    database, hub = open_database(url), Hub()
    nudges = Nudges(hub)
    compile_all(database.dialect)
    database.waker = nudges.announce
    database.start()
    settle_memory()
    try:
        yield database, hub, nudges
    finally:
        nudges.close()
        await database.stop()


async def hire(database: Database, address: str | None = None) -> None:
    """Make the row of the worker."""
    await database.write(presence.register, worker_row(address=address))


def worker_row(name: str = WORKER, address: str | None = None) -> presence.Registration:
    """A worker on a machine of its own: nobody looks whether its process lives."""
    return presence.Registration(
        name, "worker", "host", "boot", 1, "1", None, "database", address, '["image"]', '["fake"]', SLOTS, "0"
    )


def submissions(count: int) -> Iterator[Submission]:
    """As `prepare` makes them of ordinary requests."""
    for n in range(count):
        yield Submission(
            id=new_id(),
            user_id=USERS[n % len(USERS)],
            kind="image",
            model=MODEL,
            queue=QUEUE,
            prompt="a lighthouse in the fog, long exposure",
            params='{"width":512,"height":512,"n":1,"seed":42}',
            outputs=1,
            price=PRICE,
            share=1.0,
            max_wait_s=3600.0,
            run_limit_s=600.0,
        )


async def submit_all(database: Database, count: int, submitters: int = SUBMITTERS) -> None:
    """So many callers submit one job after the other."""
    wishes = submissions(count)

    async def caller() -> None:
        for wish in wishes:
            answer = await database.write(submit, wish)
            if not isinstance(answer, Submitted):
                raise RuntimeError(f"A submit was refused: {answer}")

    await asyncio.gather(*(caller() for _ in range(submitters)))


async def work_off(database: Database, hub: Hub, count: int, slots: int = SLOTS, worker: str = WORKER) -> None:
    """Claim and end that many jobs, so many at a time."""
    async with asyncio.TaskGroup() as tasks:
        room = _Room(slots)
        with hub.waiting(f"queue:{QUEUE}") as waiter:
            while count:
                waiter.clear()
                wanted = min(await room.some(), count)
                claimed = await database.write(claim, worker, [QUEUE], wanted)
                count -= len(claimed)
                for job in claimed:
                    tasks.create_task(room.taken_by(_attempt(database, job, worker)))
                if len(claimed) < wanted:
                    await waiter.wait(LOOK_AGAIN_S)


class _Room:
    """Slots of a worker."""

    def __init__(self, slots: int) -> None:
        self._free = slots
        self._freed = asyncio.Event()

    async def some(self) -> int:
        """How many are free, once any is."""
        while not self._free:
            self._freed.clear()
            await self._freed.wait()
        return self._free

    async def taken_by(self, work: Awaitable[None]) -> None:
        """One is taken while the work lasts."""
        self._free -= 1
        try:
            await work
        finally:
            self._free += 1
            self._freed.set()


async def _attempt(database: Database, job: ClaimedJob, worker: str) -> None:
    call = new_id()
    start = Sending(call, job.number, job.fence, job.attempt, PROVIDER, "m-1", False, worker)
    if not await database.write(calls.sending, start):
        raise RuntimeError(f"Job {job.id} was taken away before its call.")
    if not await database.write(calls.accepted, Accepted(call, f"remote-{call}")):
        raise RuntimeError(f"The call of job {job.id} was not accepted.")
    asset = NewAsset(
        new_id(), call, 0, f"assets/{job.id}/{call}-0.png", None, "image/png", 4096, 512, 512, None, "5" * 64, True
    )
    outcome = CallOutcome(call, "succeeded", 0.004, provider=PROVIDER)
    if not await database.write(finish, Ending(job.number, job.fence, Status.COMPLETED, [asset], None, outcome)):
        raise RuntimeError(f"Job {job.id} was taken away before its end.")
