"""Find servers by the rows that their processes beat, without loading the server.

`safelight.app.find_server` tells the same, but takes two seconds of imports: too long for `safelight jobs
list`. So a SQLite file is asked directly here; a test holds the two to the same answers.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from safelight.worker import machine

if TYPE_CHECKING:
    from safelight.settings import Settings

_SQLITE = "sqlite:///"
_BEATING = """
    SELECT url, host, boot_id, pid, process_started FROM workers
    WHERE url IS NOT NULL AND lost_at IS NULL AND beat_at > ? ORDER BY beat_at DESC
"""


class _Row(NamedTuple):
    url: str
    host: str
    boot_id: str
    pid: int
    process_started: str


def beacons(settings: Settings) -> list[str]:
    """URLs of the API processes that beat over this database, the latest first."""
    path = database_file(settings)
    if path is None:
        from safelight.app import find_server

        url = find_server(settings)
        return [url] if url else []
    return [row.url for row in _beating(path, settings.lease_seconds) if not _is_gone(row)]


def database_file(settings: Settings) -> Path | None:
    """The SQLite file of this installation, or `None` if it has another database."""
    address = settings.database_address
    return Path(address.removeprefix(_SQLITE)).expanduser() if address.startswith(_SQLITE) else None


def _beating(path: Path, lease_s: float) -> list[_Row]:
    """No rows where there is no file, no such table, or nothing that can be read."""
    if not path.is_file():
        return []
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)) as database:
            return [_Row(*row) for row in database.execute(_BEATING, (time.time() - lease_s,))]
    except sqlite3.Error:
        return []


def _is_gone(row: _Row) -> bool:
    """Whether the process ran on this machine and does no longer, as after a kill."""
    here = (row.host, row.boot_id) == (machine.host_name(), machine.boot_id())
    return here and machine.tells_processes_apart() and machine.process_started(row.pid) != row.process_started
