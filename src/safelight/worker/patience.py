"""Waiting for a database that is away: what an attempt has learnt must not be lost with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from safelight.domain.errors import Unavailable

T = TypeVar("T")
log = structlog.get_logger(__name__)


async def patiently(work: Callable[[], Awaitable[T]], again_s: float) -> T:
    """Do it, again and again while the database cannot be used, as long as the process lives."""
    while True:
        try:
            return await work()
        except (OSError, Unavailable) as error:
            log.debug("database_away", error=str(error), again_in_s=again_s)  # thousands may wait: one says it for all
            await asyncio.sleep(again_s)
