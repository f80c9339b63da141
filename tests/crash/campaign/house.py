"""One installation of real processes with a paid provider beside it, on which run after run is played.

Its lease is three seconds instead of thirty, and its other times are scaled with it.
"""

from __future__ import annotations

import signal
import sqlite3
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg
from websockets.exceptions import WebSocketException

from safelight.store.connect import open_database
from safelight.store.tx import Tx
from safelight.testing import stand_in_adapter
from safelight.testing.databases import ThrowawayPostgres, fresh_database
from safelight.testing.pictures import tiny_png
from tests.crash.campaign.clock import Clock
from tests.support.server import Installation, Running, installation
from tests.support.stand_in import StandInProcess, stand_in_provider

LEASE_S, SWEEP_S, DEADLINE_S, RECONCILED_S = 3.0, 0.5, 60.0, 6.0
LOOK_S, END_WITHIN_S = 0.2, 40.0
ARMED = {"test_mode": 1}
SCALED = {
    "lease_seconds": LEASE_S,
    "sweep_seconds": SWEEP_S,
    "deadline_image_seconds": DEADLINE_S,
    "max_wait_seconds": 90,
    "drain_seconds": 3,
    "reconcile_seconds": RECONCILED_S,
}
TRANSIENT = (sqlite3.OperationalError, psycopg.OperationalError)


class House:
    """`made` are its processes, `provider` bills, `postgres` is its server if it has one."""

    def __init__(
        self, folder: Path, made: Installation, provider: StandInProcess, postgres: ThrowawayPostgres | None
    ) -> None:
        self.folder, self.made, self.provider, self.postgres = folder, made, provider, postgres
        self.server: Running | None = None
        self.clock: Clock | None = None
        self.outage_s = 2 * LEASE_S
        """How long a database is kept away."""
        self.unserved_s = 0.0
        """How long its server, which also sweeps, was gone since the run began."""
        self.billed_before = 0
        """How many lines the provider's journal had when the run began."""
        self._stopped_at = time.monotonic()

    @property
    def database_url(self) -> str:
        return self.made.database_url

    def serve(self) -> Running:
        """The API without a worker, instead of the one that runs."""
        self.stop_server()
        self.server = self.made.serve("--no-worker")
        self.unserved_s += time.monotonic() - self._stopped_at
        return self.server

    def begin_server(self, crash: str) -> Running:
        """As `serve`, with a crash point: it may end before it is ready, and whenever it likes."""
        self.stop_server()
        began = time.monotonic()
        server = self.server = self.made.begin_server("--no-worker", **_armed(crash))
        if server.says("server.ready"):
            self.made.url = server.said("server.ready")[0]["url"]
        self.unserved_s += time.monotonic() - began
        return server

    def stop_server(self) -> None:
        if self.server is not None:
            self._stopped_at = time.monotonic()
            self.server.close()
            self.server = None

    def begin_worker(self, crash: str | None = None, **settings: object) -> Running:
        """A worker, which may end at a crash point before it is ready."""
        return self.made.begin_worker(**_armed(crash), **settings)

    def command(self, *words: str, crash: str | None = None) -> Running:
        """Any other command of `safelight`."""
        return self.made.start(*words, **_armed(crash))

    def worker(self, **settings: object) -> Running:
        return self.made.worker(**settings)

    def submit(self, prompts: Sequence[str]) -> list[str]:
        """The ids of the jobs that were answered with 202. All of them start from a picture."""
        return [self.submit_one(prompt, from_picture=True) for prompt in prompts]

    def submit_one(self, prompt: str, key: str | None = None, *, from_picture: bool = False) -> str:
        body: dict[str, object] = {"kind": "image", "model": "stand-in", "prompt": prompt}
        if from_picture:
            body["inputs"] = [{"data_uri": f"data:image/png;base64,{b64encode(tiny_png()).decode()}"}]
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.made.request("POST", "/api/jobs", json=body, headers=headers)
        assert answer.status_code in (200, 202), answer.text
        job_id: str = answer.json()["id"]
        return job_id

    def ask(self, path: str, key: str | None = None, **body: object) -> None:
        """POST anything else. It may be refused, but not fail."""
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.made.request("POST", path, json=body or None, headers=headers)
        assert answer.status_code < 500, answer.text

    def upload(self, shade: int = 0) -> str:
        """The id of a picture that no job uses."""
        answer = self.made.request("POST", "/api/uploads", files={"file": tiny_png(shade)})
        assert answer.status_code == 201, answer.text
        upload_id: str = answer.json()["id"]
        return upload_id

    def try_to(self, ask: Callable[[], object]) -> bool:
        """Ask a server that may be gone; False if no answer came."""
        try:
            ask()
        except (httpx.HTTPError, WebSocketException, OSError):
            return False
        return True

    def accepted(self, ids: Sequence[str]) -> int:
        """How many of the jobs have a call that the provider has named."""
        names = ", ".join(f"'{job_id}'" for job_id in ids)
        found = self.rows(
            "SELECT count(*) n FROM calls WHERE state = 'accepted'"  # noqa: S608 - our ids
            f" AND job IN (SELECT number FROM jobs WHERE id IN ({names}))"
        )
        return int(found[0]["n"])

    def rows(self, query: str) -> list[dict[str, Any]]:
        return self.made.rows(query)

    def jobs(self, ids: Sequence[str], columns: str = "*") -> list[dict[str, Any]]:
        names = ", ".join(f"'{job_id}'" for job_id in ids) or "''"
        return self.rows(f"SELECT {columns} FROM jobs WHERE id IN ({names}) ORDER BY number")  # noqa: S608 - our ids

    def change(self, statement: str) -> None:
        """Write past Safelight, as an operator in a hurry would; on SQLite under the turnstile."""
        if self.postgres is not None:
            with psycopg.connect(self.database_url, autocommit=True) as connection:
                connection.execute(statement.encode())
            return
        self.in_transaction(lambda tx: tx.execute(statement))  # type: ignore[attr-defined]

    def in_transaction(self, work: Callable[[Tx], object]) -> None:
        database = open_database(self.database_url)
        try:
            with database.transaction() as tx:
                work(tx)
        finally:
            database.close()

    def until(self, holds: Callable[[], bool], within_s: float) -> bool:
        """Look again and again, also while the database is away; False if it never held."""
        give_up_at = time.monotonic() + within_s
        while time.monotonic() < give_up_at:
            with suppress(*TRANSIENT):
                if holds():
                    return True
            time.sleep(LOOK_S)
        return False

    def until_ended(self, ids: Sequence[str], within_s: float, awake: Sequence[Running] = ()) -> bool:
        """Wait for all of them. A worker in `awake` that comes to a point where it stops only now, is let go on."""

        def all_ended() -> bool:
            _wake(awake)
            return self.ended(ids) == len(ids)

        return self.until(all_ended, within_s)

    def ended(self, ids: Sequence[str]) -> int:
        """How many of the jobs have ended."""
        return int(self._count(ids, "status NOT IN ('pending', 'processing')")[0]["n"])

    def close_workers(self, *workers: Running) -> None:
        """Ask them to end in good order. Raises if one does not."""
        for worker in workers:
            if worker.running:
                worker.send(signal.SIGTERM)
        if not self.until(lambda: not _wake(workers), END_WITHIN_S):
            raise AssertionError(f"asked to end, and still there: {[w.pid for w in workers if w.running]}")

    def last_words(self) -> list[str]:
        """The end of what its processes said, for whoever looks into a broken promise."""
        return [f"--- {process.pid}\n{process.tail()}" for process in self.made.started[-4:]]

    def _count(self, ids: Sequence[str], condition: str) -> list[dict[str, Any]]:
        names = ", ".join(f"'{job_id}'" for job_id in ids) or "''"
        return self.rows(f"SELECT count(*) n FROM jobs WHERE id IN ({names}) AND {condition}")  # noqa: S608 - our ids


@contextmanager
def house(
    folder: Path,
    postgres: ThrowawayPostgres | None = None,
    *,
    clock: bool = False,
    idempotent: bool = False,
    **settings: object,
) -> Iterator[House]:
    """A house with its server up; everything in it has ended when the block does.

    `clock`: its clocks can be set. `idempotent`: its provider makes each call once, and the adapter knows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clocks = Clock(folder) if clock else None
    with stand_in_provider(folder) as provider, _database(postgres, clocks) as where:
        environ = stand_in_adapter.offer(folder / "offered", provider.url)
        if idempotent:
            environ[stand_in_adapter.ONCE_SETTING] = "1"
        if clocks:
            environ = clocks.added_to(environ)
        # A clock is set when an interpreter starts.
        with installation(folder, environ, forked=clocks is None, **{**SCALED, **where, **settings}) as made:
            found = House(folder, made, provider, postgres)
            found.clock = clocks
            found.serve()
            yield found


@contextmanager
def _database(postgres: ThrowawayPostgres | None, clock: Clock | None) -> Iterator[dict[str, object]]:
    """The setting that names the database; none for SQLite's default."""
    if postgres is None:
        yield {}
        return
    with fresh_database(postgres.url) as url:
        yield {"database_url": clock.in_front_of(url) if clock else url}


def _armed(crash: str | None) -> dict[str, object]:
    return {**ARMED, "test_crash": crash} if crash else {}


def _wake(workers: Sequence[Running]) -> int:
    """Let them go on if they are stopped; how many have not ended."""
    there = [worker for worker in workers if worker.running]
    for worker in there:
        worker.send(signal.SIGCONT)
    return len(there)
