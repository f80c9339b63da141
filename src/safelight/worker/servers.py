"""Which processes of an installation are alive by their rows, and where its servers listen."""

from __future__ import annotations

from safelight.services.presence import Process, processes
from safelight.store.connect import open_database, sqlite_path
from safelight.store.schema import current, head
from safelight.worker import machine


def find_servers(database_url: str, lease_s: float) -> list[str]:
    """URLs of live API processes, the latest to start first; none where there is no database of ours."""
    path = sqlite_path(database_url)
    if (path is not None and not path.exists()) or current(database_url) != head():
        return []
    database = open_database(database_url)
    try:
        with database.reading() as tx:
            now, found = tx.now, processes(tx)
    finally:
        database.close()
    return [p.url for p in reversed(found) if p.url and is_live(p, now, lease_s)]


def is_live(process: Process, now: float, lease_s: float) -> bool:
    """Whether a process beats; one of this very machine must exist as well. `now` by the database's clock."""
    if process.lost_at is not None or now - process.beat_at > lease_s:
        return False
    same_machine = (process.host, process.boot_id) == (machine.host_name(), machine.boot_id())
    return not (same_machine and machine.is_gone(process.pid, process.process_started))
