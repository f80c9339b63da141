"""What a process knows of its installation: the providers of its workers, and how long models take."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from safelight.domain.errors import Remedy, Unavailable
from safelight.services import durations, presence
from safelight.services.durations import Duration
from safelight.services.outlook import Lookout
from safelight.services.presence import Registration
from safelight.store.database import Database
from safelight.store.tx import Tx


def worker(name: str, *providers: str, slots: int = 4) -> Callable[[Tx], None]:
    row = Registration(
        name, "worker", "host", "boot", 1, "1", None, "database", None, "[]", json.dumps(providers), slots, "0"
    )
    return lambda tx: presence.register(tx, row)


def play(database: Database, scenario: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        database.start()
        await scenario()
        await database.stop()

    asyncio.run(whole())


def test_what_another_live_worker_has_can_be_used_too(database: Database) -> None:
    async def scenario() -> None:
        lookout = Lookout(database, ["own"], {"openai": "no OPENAI_API_KEY"}, keep_s=0)
        assert (await lookout.look()).configured == {"own"}
        await database.write(worker("w1", "openai"))
        await database.write(worker("api", "replicate", slots=0))
        outlook = await lookout.look()
        assert (outlook.configured, outlook.missing) == ({"own", "openai"}, {"openai": "no OPENAI_API_KEY"})
        await database.write(presence.declare_lost, "w1", 0)
        assert (await lookout.look()).configured == {"own"}

    play(database, scenario)


def test_it_is_read_once_for_all_who_ask_at_the_same_moment(database: Database) -> None:
    async def scenario() -> None:
        lookout = Lookout(database, [], keep_s=60)
        first, *others = await asyncio.gather(*(lookout.look() for _ in range(9)))
        await database.write(durations.keep_durations, [Duration("m", 5, 1.0, 2.0)])
        assert all(seen is first for seen in (*others, await lookout.look()))

    play(database, scenario)


def test_while_the_database_is_away_what_was_seen_last_is_told(database: Database) -> None:
    async def scenario() -> None:
        lookout = Lookout(database, ["own"], keep_s=0)
        await database.write(worker("w1", "openai"))
        seen = await lookout.look()

        async def away(*_: object) -> None:
            raise Unavailable("It is away.", remedy=Remedy("Wait."))

        database.read = away  # type: ignore[method-assign, assignment]
        assert await lookout.look() is seen

    play(database, scenario)
