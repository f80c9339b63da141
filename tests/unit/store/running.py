"""Runs a database for the length of one piece of asynchronous work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from safelight.store.database import Database

T = TypeVar("T")
LIMIT_S = 20.0


def run(database: Database, work: Callable[[], Awaitable[T]]) -> T:
    """Start the database, do the work, stop it."""

    async def framed() -> T:
        database.start()
        try:
            async with asyncio.timeout(LIMIT_S):
                return await work()
        finally:
            await database.stop()

    return asyncio.run(framed())
