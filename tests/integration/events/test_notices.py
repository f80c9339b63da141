"""Nudges over Postgres: between processes of several machines, quickly, and again after the server was away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from statistics import median
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from safelight.events.hub import Hub
from safelight.queues.channel import CHANNEL, Pace
from safelight.queues.notices import Notices
from safelight.store.postgres import PostgresDatabase
from safelight.store.tx import Tx
from tests.support.wire import wired

PATIENCE_S = 30.0
QUICK = Pace(check_every_s=0.05, check_within_s=PATIENCE_S, shortest_pause_s=0.01, longest_pause_s=0.05)


class Peer:
    """One process as far as nudges go, with a database of its own."""

    def __init__(self, url: str, pace: Pace | None = None) -> None:
        self.hub, self.database = Hub(), PostgresDatabase(url)
        self.notices = Notices(self.hub, self.database.connect, pace)
        self.database.waker = self.notices.announce


@asynccontextmanager
async def peers(*urls: str, pace: Pace | None = None) -> AsyncIterator[list[Peer]]:
    """Processes that know each other, and listen."""
    opened = [Peer(url, pace) for url in urls]
    for peer in opened:
        with peer.hub.waiting("joined") as joined:
            peer.database.start()
            await peer.notices.open()
            assert await joined.wait(PATIENCE_S), "whoever has just joined may have missed something: all are woken"
    for peer in opened:
        peer.notices.set_peers([str(other.notices.address) for other in opened])
    try:
        yield opened
    finally:
        for peer in opened:
            peer.notices.close()
            await peer.database.stop()


def play(scenario: Callable[[list[Peer]], Awaitable[None]], *urls: str, pace: Pace | None = None) -> None:
    async def run() -> None:
        async with asyncio.timeout(PATIENCE_S), peers(*urls, pace=pace) as opened:
            await scenario(opened)

    asyncio.run(run())


def test_a_commit_wakes_who_waits_at_another_database_object_within_milliseconds(postgres_url: str) -> None:
    def work(tx: Tx, topic: str) -> None:
        tx.wake(topic)

    async def scenario(opened: list[Peer]) -> None:
        one, two = opened
        took_s = []
        for n in range(20):
            with two.hub.waiting(f"job:{n}") as waiter:
                await one.database.write(work, f"job:{n}")
                committed_at = time.perf_counter()
                assert await waiter.wait(PATIENCE_S)
                took_s.append(time.perf_counter() - committed_at)
        assert median(took_s) < 0.1, took_s

    play(scenario, postgres_url, postgres_url)


def test_who_speaks_wakes_its_own_at_once_and_hears_no_echo(postgres_url: str) -> None:
    async def scenario(opened: list[Peer]) -> None:
        one, two = opened
        with one.hub.waiting("a") as own, two.hub.waiting("a") as others, two.hub.waiting("b") as asleep:
            one.notices.announce(("a",))
            assert await own.wait(0)
            own.clear()
            assert await others.wait(PATIENCE_S)
            two.notices.announce(("c",))
            with one.hub.waiting("c") as waiter:
                assert await waiter.wait(PATIENCE_S)
            assert not await own.wait(0)
            assert not await asleep.wait(0)

    play(scenario, postgres_url, postgres_url)


def test_many_topics_arrive_though_no_notice_holds_them_all(postgres_url: str) -> None:
    topics = tuple(f"job:{n:036d}" for n in range(2_000))

    async def scenario(opened: list[Peer]) -> None:
        one, two = opened
        with two.hub.waiting(topics[0]) as first, two.hub.waiting(topics[-1]) as last:
            one.notices.announce((*topics, "x" * 9_000))
            assert await first.wait(PATIENCE_S)
            assert await last.wait(PATIENCE_S)

    play(scenario, postgres_url, postgres_url)


def test_who_is_alone_says_nothing(postgres_url: str) -> None:
    async def scenario(opened: list[Peer]) -> None:
        (one,) = opened
        said: list[Any] = []
        assert one.notices._channel is not None
        one.notices._channel.say = said.append  # type: ignore[method-assign]
        one.notices.set_peers([str(one.notices.address), "127.0.0.1:9"])
        one.notices.announce(("a",))
        one.notices.close()
        assert said == []

    play(scenario, postgres_url)


def test_what_was_said_last_is_still_sent_when_the_process_ends(postgres_url: str) -> None:
    async def scenario(opened: list[Peer]) -> None:
        one, two = opened
        with two.hub.waiting("a") as waiter:
            one.notices.announce(("a",))
            one.notices.close()
            assert one.notices.address is None
            assert await waiter.wait(PATIENCE_S)

    play(scenario, postgres_url, postgres_url)


@pytest.mark.parametrize("garbage", ["", "nobody", "x {", "x 7", "x [1]", "x " + "[" * 7_000])
def test_garbage_wakes_nobody_and_what_comes_after_it_still_arrives(postgres_url: str, garbage: str) -> None:
    async def scenario(opened: list[Peer]) -> None:
        one, two = opened
        with psycopg.connect(postgres_url, autocommit=True) as foreign:
            foreign.execute("SELECT pg_notify(%s, %s)", (CHANNEL, garbage))
        with two.hub.waiting("a") as waiter:
            one.notices.announce(("a",))
            assert await waiter.wait(PATIENCE_S)

    with capture_logs():
        play(scenario, postgres_url, postgres_url)


def test_after_the_server_was_away_all_are_woken_and_hear_again_and_it_is_said_once(postgres_url: str) -> None:
    async def scenario(opened: list[Peer]) -> None:
        one, two = opened
        with two.hub.waiting("anything") as missed:
            wire.cut()
            await until(lambda: said("nudges_unheard"))
            assert not await missed.wait(0)
            wire.mend()
            assert await missed.wait(PATIENCE_S)
        await until(lambda: said("nudges_unheard_no_longer"))
        with two.hub.waiting("a") as waiter:
            one.notices.announce(("a",))
            assert await waiter.wait(PATIENCE_S)
        assert (said("nudges_unheard"), said("nudges_unheard_no_longer")) == (1, 1)

    def said(event: str) -> int:
        return sum(line["event"] == event and line["log_level"] != "debug" for line in logs)

    with capture_logs() as logs, wired(postgres_url) as (wire, through):
        play(scenario, postgres_url, through, pace=QUICK)


def test_a_connection_that_hears_nothing_is_replaced_and_said_to_be_deaf(postgres_url: str) -> None:
    """Behind a pooler that gives every transaction another connection, LISTEN succeeds and nothing ever comes."""
    deaf = Pace(check_every_s=0.01, check_within_s=0.05, shortest_pause_s=0.01, longest_pause_s=0.02)

    async def scenario(opened: list[Peer]) -> None:
        (one,) = opened
        connect, connections = one.database.connect, 0

        def pooled() -> Any:
            nonlocal connections
            connections += 1
            connection = connect()
            if connections > 3:
                return connection
            execute = connection.execute
            connection.execute = lambda text, *args, **given: (  # type: ignore[method-assign]
                execute("SELECT 1" if str(text).startswith("LISTEN") else text, *args, **given)
            )
            return connection

        late = Notices(Hub(), pooled, deaf)
        await late.open()
        try:
            await until(lambda: "nudges_unheard_no_longer" in [line["event"] for line in logs])
        finally:
            late.close()

    with capture_logs() as logs:
        play(scenario, postgres_url)
    (warning,) = (line for line in logs if line["log_level"] == "warning")
    assert "pooler" in warning["error"]


async def until(it_is_so: Callable[[], object]) -> None:
    while not it_is_so():  # noqa: ASYNC110  # a log line sets no event
        await asyncio.sleep(0.005)
