"""A report that remembers, for tests of providers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from safelight.providers.protocol import Preview, Provider

PATIENCE_S = 60.0
P = TypeVar("P", bound=Provider)


class Watcher:
    """Answers False from the given call on, and can be waited for."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.seen: list[tuple[float, Preview | None]] = []
        self.texts: list[str] = []
        self.called = asyncio.Event()
        self._stop_at = stop_at

    def may_send(self) -> bool:
        return True

    async def __call__(self, progress: float, *, preview: Preview | None = None, text: str | None = None) -> bool:
        self.seen.append((progress, preview))
        if text is not None:
            self.texts.append(text)
        self.called.set()
        return self._stop_at is None or len(self.seen) < self._stop_at


def with_provider(make: Callable[[], P], body: Callable[[P], Awaitable[None]], patience_s: float = PATIENCE_S) -> None:
    """Run the body with a provider on an event loop of its own; close the provider after it."""

    async def run() -> None:
        provider = make()
        try:
            async with asyncio.timeout(patience_s):
                await body(provider)
        finally:
            await provider.close()

    asyncio.run(run())
