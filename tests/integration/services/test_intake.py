"""Looking at pictures takes turns; whoever has gone takes none."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, cast

import pytest

from safelight.services import intake as intake_module
from safelight.services.intake import LOOKED_AT_ONCE, Intake, IntakeRules
from safelight.storage.pictures import Picture, RefusedPicture
from safelight.testing.pictures import tiny_png

PATIENCE_S = 10.0
nothing = cast(Any, None)


class Looks:
    """In the place of `checked_picture`: each lasts until it is let go, or stopped."""

    def __init__(self) -> None:
        self.begun: list[bytes] = []
        self.let_go, self.one_more, self.stopped = threading.Event(), threading.Semaphore(0), list[bytes]()

    def __call__(self, data: bytes, claimed: str, most: int, too_long: Callable[[], str | None]) -> Picture:
        self.begun.append(data)
        self.one_more.release()
        while not self.let_go.wait(0.01):
            if reason := too_long():
                self.stopped.append(data)
                raise RefusedPicture(reason)
        return Picture(data, "image/png", 1, 1)

    async def are(self, n: int) -> None:
        for _ in range(n):
            assert await asyncio.to_thread(self.one_more.acquire, timeout=PATIENCE_S)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    looks = Looks()
    monkeypatch.setattr(intake_module, "checked_picture", looks)
    return looks


def an_intake() -> Intake:
    return Intake(nothing, nothing, nothing, IntakeRules(1000, 1000, 1000), nothing)


def test_one_that_takes_long_does_not_hold_up_all_others(looks: Looks) -> None:
    async def scenario() -> None:
        intake = an_intake()
        tasks = [asyncio.create_task(intake.look_at(b"%d" % n, "")) for n in range(LOOKED_AT_ONCE + 1)]
        await looks.are(LOOKED_AT_ONCE)
        assert len(looks.begun) == LOOKED_AT_ONCE >= 2
        looks.let_go.set()
        assert len(await asyncio.gather(*tasks)) == LOOKED_AT_ONCE + 1

    asyncio.run(scenario())


def test_what_nobody_waits_for_is_never_begun_and_stops_where_it_is(looks: Looks) -> None:
    async def scenario() -> None:
        intake = an_intake()
        begun = [asyncio.create_task(intake.look_at(b"begun", "")) for _ in range(LOOKED_AT_ONCE)]
        await looks.are(LOOKED_AT_ONCE)
        queued = asyncio.create_task(intake.look_at(b"queued", ""))
        await asyncio.sleep(0)
        for task in (queued, *begun):
            task.cancel()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(queued, *begun, return_exceptions=True)
        assert looks.stopped == [b"begun"] * LOOKED_AT_ONCE
        looks.let_go.set()
        assert (await intake.look_at(b"next", "")).data == b"next"
        assert b"queued" not in looks.begun

    asyncio.run(scenario())


def test_a_look_has_a_limit(looks: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "LOOK_WITHIN_S", 0.0)

    async def scenario() -> None:
        with pytest.raises(RefusedPicture, match="takes longer than 0 s"):
            await an_intake().look_at(tiny_png(), "")

    asyncio.run(scenario())
