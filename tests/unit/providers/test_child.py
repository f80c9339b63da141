"""A child process that nobody needs is let go, and comes back when it is needed."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from safelight.domain.outcomes import Done
from safelight.providers.lanczos.provider import LanczosProvider
from tests.support.watcher import Watcher, with_provider
from tests.unit.providers.test_upscaling import drawn, wish


class ShortOfBreath(LanczosProvider):
    idle_s: ClassVar[float | None] = 0.05


def test_a_child_that_has_nothing_to_do_for_a_while_ends_and_the_next_order_starts_another() -> None:
    async def body(provider: ShortOfBreath) -> None:
        assert isinstance(await provider.start(wish(drawn(8, 8)), "call", Watcher()), Done)
        child = provider._child
        assert child is not None
        await asyncio.wait_for(child._process.wait(), 10)
        assert provider.child_pid is None
        assert isinstance(await provider.start(wish(drawn(8, 8)), "call", Watcher()), Done)
        assert provider._child is not child

    with_provider(ShortOfBreath, body)


def test_a_child_is_not_let_go_while_it_works() -> None:
    async def body(provider: ShortOfBreath) -> None:
        large = wish(drawn(1400, 1400), scale=4)
        assert isinstance(await provider.start(large, "call", Watcher()), Done)

    with_provider(ShortOfBreath, body)


def test_warming_up_starts_no_child_that_would_be_let_go_again() -> None:
    async def body(provider: LanczosProvider) -> None:
        await provider.warm_up()
        assert provider.child_pid is None

    with_provider(LanczosProvider, body)
