"""Keeps SQLite's write-ahead log short, outside the writer: a checkpoint inside a commit is what spoils latencies.

It sleeps until something was committed in this process, so an idle server spends nothing on it.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path

import structlog

from safelight.domain.clock import local_s
from safelight.store.turnstile import Turnstile
from safelight.telemetry.spell import Spell

log = structlog.get_logger(__name__)

IMPATIENT_S = 0.1


class Checkpointer:
    """Copies the log into the database file every `every_s` while there are commits; cuts it above `truncate_bytes`."""

    def __init__(
        self,
        database: Path,
        turnstile: Turnstile,
        *,
        every_s: float = 0.5,
        again_s: float = 5.0,
        truncate_bytes: int = 64 * 1024 * 1024,
        patient_s: float = 6.0,
        patient_again_s: float = 60.0,
    ) -> None:
        """Beyond four times `truncate_bytes` readers are waited for, up to `patient_s`, and writers with them.

        If that is in vain, somebody reads for long, as a backup does: it is done again only after `patient_again_s`.
        """
        self._database, self._turnstile = database, turnstile
        self._wal = database.with_name(database.name + "-wal")
        self._every_s, self._again_s, self._truncate_bytes = every_s, again_s, truncate_bytes
        self._patient_s, self._patient_again_s = patient_s, patient_again_s
        self._patient_from_s = local_s()
        self._spell = Spell(log, "checkpoint_failed")
        self._written, self._stopping = threading.Event(), threading.Event()

    def wrote(self) -> None:
        """Something was committed: from any thread."""
        self._written.set()

    def serve(self) -> None:
        """Until `stop`. Whatever fails is tried again, on a new connection."""
        while self._written.wait() and not self._stopping.is_set():
            try:
                with closing(self._connect()) as connection:
                    self._serve_on(connection)
            except (sqlite3.Error, OSError) as error:
                self._spell.met(error)
                self._written.set()
                self._stopping.wait(self._again_s)

    def _serve_on(self, connection: sqlite3.Connection) -> None:
        while self._written.wait() and not self._stopping.wait(self._every_s):
            self._written.clear()
            if not self.checkpoint(connection):
                self._written.set()  # a reader still needs the rest: try again
            self._spell.over()

    def stop(self) -> None:
        """End `serve` soon."""
        self._stopping.set()
        self._written.set()

    def checkpoint(self, connection: sqlite3.Connection) -> bool:
        """Copy what can be copied; True if that is everything.

        Most of it is copied while writers go on; only the rest, and starting the log anew, needs the turnstile.
        """
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        with self._turnstile.held():
            is_patient = self._is_patient()
            connection.execute(f"PRAGMA busy_timeout={round((self._patient_s if is_patient else IMPATIENT_S) * 1000)}")
            mode = "TRUNCATE" if self._wal_bytes() > self._truncate_bytes else "PASSIVE"
            busy, frames, copied = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        if busy and is_patient:
            self._patient_from_s = local_s() + self._patient_again_s
        return not busy and frames == copied

    def _is_patient(self) -> bool:
        """Whether readers may hold up a TRUNCATE for long, and with it every writer.

        Where somebody always reads, the log could else never start anew and would grow for ever. A read transaction
        ends within `limits.read_s`, and one that begins meanwhile stands in nobody's way.
        """
        return self._wal_bytes() > self._truncate_bytes * 4 and local_s() >= self._patient_from_s

    def _wal_bytes(self) -> int:
        with suppress(FileNotFoundError):
            return self._wal.stat().st_size
        return 0

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._database, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("PRAGMA synchronous=FULL")
        return connection
