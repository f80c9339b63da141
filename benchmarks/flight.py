"""Thousands of provider calls in flight in one worker process: memory, beats, and that all of them complete."""

from __future__ import annotations

import time
from concurrent.futures import Future
from itertools import pairwise

from benchmarks import lives
from benchmarks.apart import processes
from benchmarks.databases import KINDS, fresh
from benchmarks.figures import Figure
from benchmarks.life import submit_before
from benchmarks.worker import Worked, work_off_with_attempts
from safelight.services.presence import processes as rows
from safelight.settings import Settings
from safelight.store.connect import open_database

IN_FLIGHT, IN_FLIGHT_SHORT = 5_000, 500
ANSWER_S, ANSWER_SHORT_S = 10.0, 4.0
LOOK_EVERY_S = 0.1


def measure(short: bool) -> list[Figure]:
    """On both databases."""
    count, answer_s = (IN_FLIGHT_SHORT, ANSWER_SHORT_S) if short else (IN_FLIGHT, ANSWER_S)
    return [figure for kind in KINDS for figure in _fly(kind, count, answer_s)]


def _fly(kind: str, count: int, answer_s: float) -> list[Figure]:
    with fresh(kind) as url, processes() as apart:
        lives.set_scene(url)
        apart.run(submit_before, url, count)
        with processes() as fresh_process:
            flying = fresh_process.start(work_off_with_attempts, url, count, answer_s)
            longest_s = _longest_silence_s(url, flying)
            worked = flying.result()
        lost = lives.audited(url, count)
    return [
        Figure(f"{kind}: {count:,} calls of {answer_s:.0f} s at once, all ended after", worked.took_s, "s"),
        Figure("  the most memory the worker held", worked.peak_bytes / 1e6, "MB", 600),
        Figure("  the longest time between two beats", longest_s, "s", Settings().lease_seconds / 3),
        Figure("  jobs not completed or books wrong", lost, "", 0),
    ]


def _longest_silence_s(url: str, flying: Future[Worked]) -> float:
    """As the worker's row shows it to another process, by the database's clock."""
    database = open_database(url)
    beats = set[float]()
    while not flying.done():
        with database.reading() as tx:
            beats.update(row.beat_at for row in rows(tx))
        time.sleep(LOOK_EVERY_S)
    database.close()
    return max((later - earlier for earlier, later in pairwise(sorted(beats))), default=0.0)
