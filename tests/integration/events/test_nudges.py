"""Nudges between processes: small datagrams that ring bells, and do no harm whatever they hold."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from safelight.events.hub import Hub
from safelight.queues.nudger import parcels
from safelight.queues.nudges import LARGEST_BYTES, Nudges

PATIENCE_S = 30.0


class Peer:
    """One process as far as nudges go."""

    def __init__(self) -> None:
        self.hub = Hub()
        self.nudges = Nudges(self.hub)

    @property
    def address(self) -> str:
        assert self.nudges.address is not None
        return self.nudges.address


@asynccontextmanager
async def peers(count: int = 2) -> AsyncIterator[list[Peer]]:
    """Processes that know each other."""
    opened = [Peer() for _ in range(count)]
    for peer in opened:
        await peer.nudges.open()
    for peer in opened:
        peer.nudges.set_peers([other.address for other in opened])
    try:
        yield opened
    finally:
        for peer in opened:
            peer.nudges.close()


def play(scenario: Callable[[list[Peer]], Awaitable[None]], count: int = 2) -> None:
    async def run() -> None:
        async with asyncio.timeout(PATIENCE_S), peers(count) as opened:
            await scenario(opened)

    asyncio.run(run())


def test_peers_wake_each_other() -> None:
    async def scenario(opened: list[Peer]) -> None:
        one, two = opened
        with one.hub.waiting("queue:image") as at_one, two.hub.waiting("queue:image") as at_two:
            one.nudges.announce(("queue:image",))
            assert await at_one.wait(0)
            assert await at_two.wait(PATIENCE_S)
            at_one.clear()
            two.nudges.announce(("queue:image", "job:1"))
            assert await at_one.wait(PATIENCE_S)

    play(scenario)


def test_one_who_does_not_wait_for_the_topic_sleeps_on() -> None:
    async def scenario(opened: list[Peer]) -> None:
        one, two = opened
        with two.hub.waiting("job:1") as idle, two.hub.waiting("job:2") as meant:
            one.nudges.announce(("job:2",))
            assert await meant.wait(PATIENCE_S)
            assert not await idle.wait(0)

    play(scenario)


def test_every_peer_is_nudged() -> None:
    async def scenario(opened: list[Peer]) -> None:
        with opened[1].hub.waiting("job:1") as second, opened[2].hub.waiting("job:1") as third:
            opened[0].nudges.announce(("job:1",))
            assert await second.wait(PATIENCE_S)
            assert await third.wait(PATIENCE_S)

    play(scenario, count=3)


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\x00\xff\xfe",
        b"{",
        b"null",
        b"7",
        b'"queue:image"',
        b'{"queue:image": 1}',
        b"[[[]], 7, null, {}]",
        b"[" * 60_000,
        b"9" * 6_000,
    ],
    ids=lambda garbage: garbage[:12].decode("latin-1") or "nothing",
)
def test_garbage_wakes_nobody_and_what_comes_after_it_still_arrives(garbage: bytes) -> None:
    complaints: list[object] = []

    async def scenario(opened: list[Peer]) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        one, two = opened
        host, _, port = two.address.rpartition(":")
        with two.hub.waiting("queue:image") as idle, two.hub.waiting("after") as after:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                stranger.sendto(garbage, (host, int(port)))
                stranger.sendto(b'["after"]', (host, int(port)))
            assert await after.wait(PATIENCE_S)
            assert not await idle.wait(0)
        assert one.address != two.address

    play(scenario)
    assert complaints == []


def test_only_loopback_addresses_are_ever_nudged() -> None:
    async def scenario(opened: list[Peer]) -> None:
        nudges = opened[0].nudges
        nudges.set_peers([opened[0].address, opened[1].address, "10.0.0.1:80", "127.0.0.1.example.org:80", ""])
        assert nudges._peers == [("127.0.0.1", int(opened[1].address.rpartition(":")[2]))]

    play(scenario)


def test_a_peer_that_has_gone_disturbs_nobody() -> None:
    async def scenario(opened: list[Peer]) -> None:
        one, two, three = opened
        two.nudges.close()
        with three.hub.waiting("a", "b") as waiter:
            for topic in ("a", "b"):
                waiter.clear()
                one.nudges.announce((topic,))
                assert await waiter.wait(PATIENCE_S)

    play(scenario, count=3)


def test_one_that_is_closed_rings_only_its_own_bells() -> None:
    async def scenario(opened: list[Peer]) -> None:
        one, _ = opened
        one.nudges.close()
        one.nudges.close()
        assert one.nudges.address is None
        with one.hub.waiting("a") as waiter:
            one.nudges.announce(("a",))
            assert await waiter.wait(0)

    play(scenario)


def test_many_topics_arrive_though_no_datagram_holds_them_all() -> None:
    topics = tuple(f"job:{n:036d}" for n in range(2_000))

    async def scenario(opened: list[Peer]) -> None:
        one, two = opened
        with two.hub.waiting(topics[0]) as first, two.hub.waiting(topics[-1]) as last:
            one.nudges.announce(topics)
            assert await first.wait(PATIENCE_S)
            assert await last.wait(PATIENCE_S)

    play(scenario)


@pytest.mark.parametrize("topic", ["job:{n:036d}", "user:\u732b\u732b{n}", 'user:"\\{n}'])
def test_a_long_list_is_split_into_datagrams_that_travel_whole(topic: str) -> None:
    topics = [topic.format(n=n) for n in range(1_500)]
    parts = list(parcels(topics, LARGEST_BYTES))
    assert len(parts) > 1
    assert max(len(part.encode()) for part in parts) <= LARGEST_BYTES
    assert [name for part in parts for name in json.loads(part)] == topics


def test_a_topic_that_can_travel_in_no_datagram_does_not_keep_the_others_back() -> None:
    assert list(parcels(["a", "x" * LARGEST_BYTES, "b"], LARGEST_BYTES)) == ['["a", "b"]']


def test_nothing_to_say_is_no_datagram() -> None:
    assert list(parcels([], LARGEST_BYTES)) == []
