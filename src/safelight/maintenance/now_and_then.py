"""What is done again and again beside everything else: one failure is logged, and the next time comes all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from safelight.domain.errors import SafelightError

log = structlog.get_logger(__name__)


async def now_and_then(
    run_once: Callable[[], Awaitable[object]], failure: str, *, first_s: float, every_s: float
) -> None:
    """For ever. Not at once: a process that has just started has better things to do."""
    await asyncio.sleep(first_s)
    while True:
        try:
            await run_once()
        except (OSError, SafelightError) as error:
            log.warning(failure, error=str(error))
        await asyncio.sleep(every_s)
