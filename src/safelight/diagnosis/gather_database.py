"""Examine the database: is it there, which schema has it, who writes, what do the rows say. Blocking; makes nothing."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from safelight.diagnosis.facts import DatabaseFacts, Trouble
from safelight.diagnosis.look import Look, look
from safelight.diagnosis.sources import Sources
from safelight.domain.errors import Remedy
from safelight.store.connect import open_database, sqlite_path
from safelight.store.database import Database, Limits
from safelight.store.schema import current, head, is_newer
from safelight.store.sqlite import SqliteDatabase
from safelight.telemetry.redact import redact

LIMITS = Limits(read_s=2.5, away_s=1.0, busy_s=1.0)


class Examined(NamedTuple):
    facts: DatabaseFacts
    look: Look | None = None


def examine(sources: Sources) -> Examined:
    """Raises SafelightError where the database cannot be asked."""
    url = sources.settings.database_address
    facts = DatabaseFacts(where=redact(url), needed=head())
    path = sqlite_path(url)
    if path is not None and not path.exists():
        return Examined(replace(facts, exists=False))
    if path is not None and (trouble := _no_right_to_write(path)):
        return Examined(replace(facts, trouble=trouble))
    started = time.monotonic()
    schema = current(url)
    facts = replace(facts, schema=schema, is_newer=is_newer(schema), took_s=time.monotonic() - started)
    if schema != head():
        return Examined(facts)
    return _read(url, sources, facts)


def _read(url: str, sources: Sources, facts: DatabaseFacts) -> Examined:
    database = open_database(url, LIMITS)
    try:
        with database.reading() as tx:
            asked, now, answered = time.time(), tx.now, time.time()
            found = look(tx, sources.tolls, sources.is_live, sources.grace_s, sources.settings.alert_slow_times)
        facts = replace(facts, clock_ahead_s=now - (asked + answered) / 2)
        return Examined(_with_file(database, facts), found)
    finally:
        database.close()


def _with_file(database: Database, facts: DatabaseFacts) -> DatabaseFacts:
    """Of SQLite: who writes at this moment, and how long its log has become."""
    if not isinstance(database, SqliteDatabase):
        return facts
    holder, wal_bytes = database.turnstile.holder(), 0
    with suppress(OSError):
        wal_bytes = database.path.with_name(f"{database.path.name}-wal").stat().st_size
    if holder is None:
        return replace(facts, wal_bytes=wal_bytes)
    since_s = max(0.0, time.time() - holder.since)
    return replace(facts, wal_bytes=wal_bytes, writer_pid=holder.pid, writer_since_s=since_s)


def _no_right_to_write(path: Path) -> Trouble | None:
    refused = next((each for each in (path, path.parent) if not os.access(each, os.W_OK)), None)
    if refused is None:
        return None
    remedy = Remedy("Give the user that Safelight runs as the right to write there.", f"ls -ld {refused}")
    return Trouble(f"{refused} may not be written.", remedy, "denied")
