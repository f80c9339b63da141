"""Two processes that end the items of the same batches at once: each batch ends once, and nobody deadlocks."""
# ruff: noqa: S311 - dice, not secrets

from __future__ import annotations

import asyncio
from random import Random

from structlog.testing import capture_logs

from safelight.domain.jobs import TERMINAL
from safelight.services.batches import cancel_items, cancel_left_items, look, recount_batches
from safelight.services.cancel import cancel
from safelight.services.submit_batch import submit_batch
from safelight.store.database import Database
from safelight.testing.books import assert_books_balance
from tests.integration.services.scene import all_jobs, batch_wish, job, set_scene, told
from tests.integration.services.test_concurrency import (
    PATIENCE_S,
    processes,
    sweep_until_all_have_ended,
    work,
)

BATCHES, ITEMS = 6, 15
CANCELED = "b0", "b1"


async def cancel_batch(database: Database, name: str) -> None:
    """As the desk does it; the first one's driver dies before the first slice."""
    await database.write(cancel, name, "ann")
    if name != CANCELED[0]:
        number = (await database.read(job, name)).number
        while await database.write(cancel_items, [number]):
            pass


async def sweep_batches(database: Database, is_over: asyncio.Event) -> None:
    while not is_over.is_set():
        await database.write(cancel_left_items)
        await database.write(recount_batches)


def test_batches_whose_items_end_everywhere_at_once_end_once_each(database: Database, database_url: str) -> None:
    async def scenario() -> None:
        async with asyncio.timeout(PATIENCE_S), processes(database, database_url) as pair:
            names = [f"w{n}" for n in range(4)]
            await database.write(lambda tx: set_scene(tx, workers=names, credits=10_000))
            wishes = [batch_wish(f"b{n}", [f"b{n}-{i}" for i in range(ITEMS)], price=n) for n in range(BATCHES)]
            await asyncio.gather(*(pair[n % 2].write(submit_batch, wish) for n, wish in enumerate(wishes)))
            all_are_in, is_over = asyncio.Event(), asyncio.Event()
            background = [asyncio.create_task(sweep_until_all_have_ended(each, all_are_in, is_over)) for each in pair]
            background += [asyncio.create_task(sweep_batches(each, is_over)) for each in pair]
            background += [
                asyncio.create_task(work(pair[n % 2], name, Random(n), is_over)) for n, name in enumerate(names)
            ]
            await asyncio.gather(*(cancel_batch(pair[n], name) for n, name in enumerate(CANCELED)))
            all_are_in.set()
            await asyncio.gather(*background)

    with capture_logs() as logged:
        asyncio.run(scenario())
    assert [line for line in logged if "deadlock" in str(line.get("because", ""))] == []
    with database.transaction() as tx:
        rows = all_jobs(tx)
        assert len(rows) == BATCHES * (ITEMS + 1)
        for row in rows:
            assert [event for event in told(tx, row.number) if event in TERMINAL] == [row.status]
        assert look(tx) == (0, 0)
        assert_books_balance(tx)
