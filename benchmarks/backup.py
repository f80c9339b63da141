"""How long a backup of many jobs takes, how large it is, and how long until it is a database again."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.databases import KINDS, fresh
from benchmarks.figures import Figure
from benchmarks.seeding import ENDED, seed_jobs, seed_records
from safelight.maintenance.backup import back_up
from safelight.maintenance.restore import restore
from safelight.storage.assets import AssetStore

JOBS, JOBS_SHORT = 100_000, 10_000


def measure(short: bool) -> list[Figure]:
    """On both databases, without files: those take as long as copying them."""
    return [figure for kind in KINDS for figure in _there_and_back(kind, JOBS_SHORT if short else JOBS)]


def _there_and_back(kind: str, jobs: int) -> list[Figure]:
    with fresh(kind) as url, fresh(kind) as elsewhere, tempfile.TemporaryDirectory() as folder:
        seed_jobs(url, "ended", jobs, ENDED)
        seed_records(url, jobs)
        file = Path(folder) / "safelight.backup"
        started_s = time.perf_counter()
        made = back_up(url, file)
        backed_up_s = time.perf_counter()
        restore(elsewhere, file, AssetStore(f"file://{folder}/assets"), is_live=lambda process, now: False)
        restored_s = time.perf_counter()
        size_mb = file.stat().st_size / 1e6
    rows = sum(made.rows.values())
    return [
        Figure(f"{kind}: back up {jobs:,} jobs, {rows:,} rows", backed_up_s - started_s, "s"),
        Figure("  the file", size_mb, "MB"),
        Figure("  check and restore it, recovery included", restored_s - backed_up_s, "s"),
    ]
