"""Behind the nudges: notice that another process has written, and ring every bell."""

from __future__ import annotations

import asyncio

import structlog

from safelight.domain.errors import SafelightError
from safelight.events.hub import Hub
from safelight.store.database import Database
from safelight.telemetry.spell import Spell

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.25


async def watch(database: Database, hub: Hub) -> None:
    """Until cancelled. Where the database offers no version number, waiters' own time-outs are what is left."""
    seen, spell = database.data_version(), Spell(log, "database_version_unreadable")
    while seen is not None:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            version = database.data_version()
        except (OSError, SafelightError) as error:
            spell.met(error)
            continue
        spell.over()
        if version != seen:
            seen = version
            hub.wake_all()
