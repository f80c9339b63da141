"""Live updates: thousands of subscribers in one server process, and how late each of them is told.

The server, the worker that moves the jobs and the subscribers are processes of their own. What a job reports as its
progress is the time of day, by which the moment of its commit is found beside the moments at which it was seen.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks import lives, subscribers
from benchmarks.apart import processes
from benchmarks.databases import KINDS, fresh
from benchmarks.figures import Figure, percentile
from benchmarks.server import Server, running
from benchmarks.subscribers import DAY_S, Heard
from benchmarks.worker import work_off_with
from safelight.domain.outcomes import RemoteState
from safelight.providers.protocol import Generation, Report
from safelight.services.credits import LOCAL_USER
from safelight.services.submit import submit
from safelight.testing.providers import ScriptedProvider, done

JOBS, EACH, STALLED = 200, 10, 20
RUNS_S, RUNS_SHORT_S, REPORTS_EVERY_S = 24.0, 6.0, 2.0
SEEN_WITHIN_MS = 250.0


def measure(short: bool) -> list[Figure]:
    """Sockets and streams on SQLite, sockets on Postgres; the short form is only the first, and brief."""
    sqlite, postgres = KINDS
    if short:
        return _told(sqlite, "socket", JOBS // 10, RUNS_SHORT_S)
    ways = [(sqlite, "socket"), (sqlite, "stream"), (postgres, "socket")]
    return [figure for kind, transport in ways for figure in _told(kind, transport, JOBS, RUNS_S)]


class ClockProvider(ScriptedProvider):
    """Each call lasts a while and reports the time of day now and then."""

    def __init__(self, runs_s: float) -> None:
        super().__init__(name=lives.PROVIDER, repeatable=False)
        self._runs_s = runs_s
        self.committed: dict[float, float] = {}
        """By what was reported, when that was in the database, in epoch seconds."""

    async def start(self, generation: Generation, call_id: str, report: Report) -> RemoteState:
        ends_at = time.monotonic() + self._runs_s
        await asyncio.sleep(REPORTS_EVERY_S * int(call_id[-2:], 16) / 256)  # not all in step
        while time.monotonic() < ends_at:
            reached = time.time() % DAY_S / DAY_S
            await report(reached)
            self.committed[reached] = time.time()
            await asyncio.sleep(REPORTS_EVERY_S)
        return done()


async def submit_jobs(url: str, count: int) -> list[str]:
    """Their ids."""
    async with lives.at_work(url) as (database, _, _):
        wishes = [replace(wish, user_id=LOCAL_USER) for wish in lives.submissions(count)]
        for wish in wishes:
            await database.write(submit, wish)
    return [wish.id for wish in wishes]


async def move_jobs(url: str, slots: int, runs_s: float) -> dict[float, float]:
    """Run a worker until no job is left; when each progress was committed."""
    provider = ClockProvider(runs_s)
    await work_off_with(url, slots, provider)
    return provider.committed


def _told(kind: str, transport: str, jobs: int, runs_s: float) -> list[Figure]:
    with (
        fresh(kind) as url,
        tempfile.TemporaryDirectory(prefix="safelight-bench-") as folder,
        running(Path(folder), "--no-worker", environ={"SAFELIGHT_DATABASE_URL": url}) as server,
        processes(3) as apart,
    ):
        ids = apart.run(submit_jobs, url, jobs)
        before_bytes = _resident_bytes(server)
        listening = apart.start(subscribers.listen, server.port, ids, EACH, STALLED, transport)
        subscribers.until_connected(server.url, jobs * EACH + STALLED, listening)
        held_bytes = _resident_bytes(server) - before_bytes
        busy_s = _processor_s(server)
        committed = apart.run(move_jobs, url, jobs, runs_s)
        heard = listening.result()
        busy_s = _processor_s(server) - busy_s
    lags_s = [max(0.0, seen - committed[reached]) for reached, seen in heard.progress]
    return _figures(f"{kind}, {transport}s", jobs, heard, lags_s, held_bytes, busy_s)


def _figures(where: str, jobs: int, heard: Heard, lags_s: list[float], held_bytes: int, busy_s: float) -> list[Figure]:
    count = jobs * EACH
    lags_ms = [lag_s * 1000 for lag_s in lags_s]
    name = f"{where}: {count:,} subscribers of {jobs} running jobs, {STALLED} more that never read"
    return [
        Figure(f"{name}; progress seen, p50", percentile(lags_ms, 0.5), "ms"),
        Figure("  p99", percentile(lags_ms, 0.99), "ms", SEEN_WITHIN_MS),
        Figure("  all jobs start at once: told, p99", percentile(heard.burst_s, 0.99) * 1000, "ms"),
        Figure("  events delivered", heard.events, ""),
        Figure("  processor time of the server for each", busy_s / heard.events * 1e6, "µs"),
        Figure("  memory of the server for each subscriber", held_bytes / (count + STALLED) / 1000, "kB"),
        Figure("  subscribers that missed the beginning or the end", heard.incomplete, "", 0),
    ]


def _processor_s(server: Server) -> float:
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_bytes(server: Server) -> int:
    pages = int(Path(f"/proc/{server.pid}/statm").read_text().split()[1])
    return pages * 4096
