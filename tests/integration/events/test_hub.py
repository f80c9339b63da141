"""The hub: who waits for a topic is rung; rings while busy are kept as one."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from safelight.events.hub import Hub

LONG_S = 30.0


def run(scenario: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(LONG_S):
            await scenario

    asyncio.run(bounded())


def test_a_waiter_is_rung_for_each_of_its_topics_and_no_other() -> None:
    async def scenario() -> None:
        hub = Hub()
        with hub.waiting("queue:image", "queue:video") as waiter:
            for topic, rung in [("queue:image", True), ("queue:video", True), ("job:1", False)]:
                waiter.clear()
                hub.wake([topic])
                assert await waiter.wait(0.0 if not rung else LONG_S) == rung

    run(scenario())


def test_rings_that_come_while_a_reader_is_busy_are_kept_as_one() -> None:
    async def scenario() -> None:
        hub = Hub()
        with hub.waiting("job:1") as waiter:
            for _ in range(5):
                hub.wake(["job:1"])
            assert await waiter.wait(LONG_S)
            waiter.clear()
            assert not await waiter.wait(0.0)

    run(scenario())


def test_everyone_who_waits_for_a_topic_is_rung() -> None:
    async def scenario() -> None:
        hub = Hub()
        with hub.waiting("job:1") as first, hub.waiting("job:1") as second, hub.waiting("job:2") as other:
            hub.wake(["job:1", "job:3"])
            assert await first.wait(LONG_S)
            assert await second.wait(LONG_S)
            assert not await other.wait(0.0)
            hub.wake_all()
            assert await other.wait(LONG_S)

    run(scenario())


def test_who_sleeps_is_woken() -> None:
    async def scenario() -> None:
        hub = Hub()
        with hub.waiting("job:1") as waiter:
            asleep = asyncio.create_task(waiter.wait(LONG_S))
            await asyncio.sleep(0)
            hub.wake(["job:1"])
            assert await asleep

    run(scenario())


def test_nobody_waits_for_who_has_left_even_after_an_error() -> None:
    hub = Hub()
    with pytest.raises(KeyError), hub.waiting("job:1", "job:1", "job:2"):
        raise KeyError
    assert not hub._waiters
    hub.wake(["job:1"])
    hub.wake_all()
    assert not hub._waiters


def test_who_asks_somebody_else_than_the_rows_is_rung_only_by_name() -> None:
    async def scenario() -> None:
        hub = Hub()
        with hub.waiting("call:1", by_name_only=True) as poll, hub.waiting("job:1") as reader:
            hub.wake_all()
            assert await reader.wait(LONG_S)
            assert not await poll.wait(0.001)
            hub.wake(["call:1"])
            assert await poll.wait(LONG_S)

    run(scenario())
