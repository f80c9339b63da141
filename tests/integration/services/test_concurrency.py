"""Two processes that do everything at once: whatever the order, every job ends once and is settled."""
# ruff: noqa: S311 - dice, not secrets

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from safelight.domain.ids import new_id
from safelight.domain.jobs import TERMINAL, Status
from safelight.services import presence, recovery_effect, sweep
from safelight.services.calls import CallOutcome, Sending, sending
from safelight.services.cancel import cancel
from safelight.services.claim import claim
from safelight.services.claimable import ClaimedJob
from safelight.services.finish import Ending, finish
from safelight.services.hand_back import Return, hand_back
from safelight.services.job_filter import JobFilter
from safelight.services.job_pages import FIRST_PAGE
from safelight.services.progress import Step, progress
from safelight.services.recoveries import Wanted, members, newest, plan
from safelight.services.recovery_rules import Action
from safelight.services.submission import Replayed, Submitted
from safelight.services.submit import submit
from safelight.store.connect import open_database
from safelight.store.database import Database
from safelight.testing.books import assert_books_balance
from tests.integration.services.scene import all_jobs, delivery, hire, set_scene, told, wish

USERS, JOBS_EACH, WORKERS = ("ann", "bob", "cat"), 20, 4
PATIENCE_S = 60.0


@asynccontextmanager
async def processes(database: Database, url: str) -> AsyncIterator[list[Database]]:
    """Two processes as far as the database can tell."""
    pair = [database, open_database(url)]
    for each in pair:
        each.start()
    try:
        yield pair
    finally:
        for each in pair:
            await each.stop()


async def work(database: Database, name: str, random: Random, is_over: asyncio.Event) -> Counter[bool]:
    """A worker that claims and ends jobs in every way there is; now and then it was taken for lost."""
    won: Counter[bool] = Counter()
    while not is_over.is_set():
        for job in await database.write(claim, name, ["image"], 3):
            won[await run(database, job, name, random)] += 1
        if random.random() < 0.1:
            processes = await database.read(presence.processes)
            beat_n = next(process.beat_n for process in processes if process.id == name)
            await database.write(presence.declare_lost, name, beat_n)
            name += "'"
            await database.write(hire, name)
        await asyncio.sleep(0)
    return won


async def run(database: Database, job: ClaimedJob, worker: str, random: Random) -> bool:
    """Whether it still had the job at the end."""
    call = f"call-{job.id}-{job.fence}"
    if not await database.write(sending, Sending(call, job.number, job.fence, 1, "p", "m", True, worker)):
        return False
    await database.write(progress, Step(job.number, job.fence, "running", 0.5, "image/webp", "x"))
    match random.randrange(4):
        case 0:
            given = Return(job.number, job.fence, "busy", 0.0, True, call=CallOutcome(call, "failed"))
            return await database.write(hand_back, given)
        case 1:
            failed = Ending(job.number, job.fence, Status.FAILED, (), "{}", CallOutcome(call, "failed"))
            return await database.write(finish, failed)
        case _:
            return await database.write(finish, delivery(job, call=CallOutcome(call, "succeeded", 0.01)))


async def submit_all(database: Database, user: str) -> list[object]:
    """Every job twice, under the same key."""
    wishes = [wish(f"{user}-{n}-{again}", user, key=f"k{n}", price=n % 7) for n in range(JOBS_EACH) for again in "ab"]
    return list(await asyncio.gather(*(database.write(submit, each) for each in wishes)))


async def cancel_some(database: Database, user: str, random: Random) -> None:
    for n in random.sample(range(JOBS_EACH), 6):
        for again in "ab":
            await database.write(cancel, f"{user}-{n}-{again}", user)


async def sweep_until_all_have_ended(database: Database, all_are_in: asyncio.Event, is_over: asyncio.Event) -> None:
    while not is_over.is_set():
        await database.write(sweep.take_from_lost)
        await database.write(sweep.make_ready)
        await database.write(sweep.expire)
        rows = await database.read(all_jobs)
        if all_are_in.is_set() and all(row.status in TERMINAL for row in rows):
            is_over.set()


async def recover_some(database: Database, random: Random, is_over: asyncio.Event) -> None:
    """An operator who loses patience: now this is done with all that fits, now that, by whoever sweeps."""
    while not is_over.is_set():
        action = random.choice([Action.REQUEUE, Action.REQUEUE, Action.CANCEL, Action.FAIL])
        user = random.choice(USERS) if action is not Action.REQUEUE else None
        statuses = random.choice([("pending",), ("pending", "processing")])
        wanted = Wanted(action, JobFilter(statuses, user=user), "Sorry.", "olga", 0.0)
        await database.write(plan, wanted, new_id())
        for number in await database.read(recovery_effect.due):
            while (await database.write(recovery_effect.carry_out, number)).goes_on:
                pass
        await asyncio.sleep(random.random() / 20)


def test_whatever_two_processes_do_at_once_every_job_ends_once_and_the_books_balance(
    database: Database, database_url: str
) -> None:
    async def scenario() -> None:
        async with asyncio.timeout(PATIENCE_S), processes(database, database_url) as pair:
            names = [f"w{n}" for n in range(WORKERS)]
            await database.write(lambda tx: set_scene(tx, users=USERS, workers=names))
            all_are_in, is_over = asyncio.Event(), asyncio.Event()
            background = [asyncio.create_task(sweep_until_all_have_ended(each, all_are_in, is_over)) for each in pair]
            background += [
                asyncio.create_task(work(pair[n % 2], name, Random(n), is_over)) for n, name in enumerate(names)
            ]
            answers = await asyncio.gather(*(submit_all(pair[n % 2], user) for n, user in enumerate(USERS)))
            kinds = Counter(type(answer) for answered in answers for answer in answered)
            assert kinds == {Submitted: len(USERS) * JOBS_EACH, Replayed: len(USERS) * JOBS_EACH}
            background += [asyncio.create_task(recover_some(each, Random(7), is_over)) for each in pair]
            await asyncio.gather(*(cancel_some(pair[n % 2], user, Random(n)) for n, user in enumerate(USERS)))
            all_are_in.set()
            await asyncio.gather(*background)

    asyncio.run(scenario())
    with database.transaction() as tx:
        rows = all_jobs(tx)
        assert len(rows) == len(USERS) * JOBS_EACH
        for row in rows:
            assert [event for event in told(tx, row.number) if event in TERMINAL] == [row.status]
        plans, _ = newest(tx, FIRST_PAGE, 1_000)
        assert plans
        for made in plans:
            words = Counter(member.outcome for member in members(tx, made.number, 1_000))
            assert (made.state, made.jobs, json.loads(made.counts)) == ("done", words.total(), words)
        assert_books_balance(tx)
