"""At the start of a process: wait a little for a database that is not there yet, or not upgraded yet."""

from __future__ import annotations

import asyncio

import structlog

from safelight.domain.clock import local_s
from safelight.domain.errors import Unavailable
from safelight.store import migrate
from safelight.store.connect import sqlite_path

log = structlog.get_logger(__name__)

WAIT_S = 30.0
LOOK_EVERY_S = 1.0


async def until_it_answers(url: str) -> str | None:
    """The schema it then has. A server may be started before the database it talks to; a file is there, or is not.

    Raises `Unavailable` if it cannot be reached for so long.
    """
    until, told = local_s() + WAIT_S, False
    while True:
        try:
            return await asyncio.to_thread(migrate.current, url)
        except Unavailable as error:
            if sqlite_path(url) is not None or local_s() >= until:
                raise
            if not told:
                log.warning("waiting_for_database", error=error.what, limit_s=WAIT_S)
                told = True
        await asyncio.sleep(LOOK_EVERY_S)


async def until_it_is_upgraded(url: str) -> None:
    """A worker may be started before the server that upgrades: afterwards opening the database says NOT_MIGRATED."""
    until, told = local_s() + WAIT_S, False
    while (found := await until_it_answers(url)) != migrate.head():
        if local_s() >= until:
            log.error("NOT_MIGRATED", current=found, needed=migrate.head(), remedy="safelight db upgrade")
            return
        if not told:
            log.info("waiting_for_schema", current=found, needed=migrate.head(), limit_s=WAIT_S)
            told = True
        await asyncio.sleep(LOOK_EVERY_S)
