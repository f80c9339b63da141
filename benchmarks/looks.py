"""What a diagnosis costs among a million jobs with true books: the doctor, its audit of the ledger, an explanation.

Times are of the looks themselves; nothing that is probed is away, so no time-out is in them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from statistics import median

from benchmarks.databases import KINDS, fresh
from benchmarks.figures import Figure
from benchmarks.lives import worker_row
from benchmarks.seeding import ENDED, WAITING, execute, seed_jobs
from safelight.adapters import adapters
from safelight.app import onlooking_from, sources
from safelight.catalog.loading import load_catalog
from safelight.diagnosis.doctor import examine
from safelight.diagnosis.explain.explanation import explain
from safelight.diagnosis.explain.look_job import look_at_job
from safelight.services import presence
from safelight.services.audit.beside import LONG, audit_beside
from safelight.settings import Settings
from safelight.store.connect import open_database

JOBS, JOBS_SHORT = 1_000_000, 50_000
ACCOUNTS, GRANT, PRICE = 1_000, 100_000, 4
WAITING_SHARE, RECENT_SHARE = 10, 5
"""One job in so many waits, one of so many ended within this hour."""
ROUNDS = 5
OF_ACCOUNT = {"account": f"1 + n % {ACCOUNTS}"}


def measure(short: bool) -> list[Figure]:
    """On both databases."""
    return [figure for kind in KINDS for figure in _looked(kind, JOBS_SHORT if short else JOBS)]


def _looked(kind: str, jobs: int) -> list[Figure]:
    with fresh(kind) as url:
        _seed(url, jobs)
        settings = Settings(database_url=url)
        doctor_ms = _median_ms(lambda: asyncio.run(_examine(settings)))
        audit_ms, wrong = _audit(url)
        explain_ms = max(_explain(url, settings, job) for job in ("ended-7", "waiting-7", f"waiting-{jobs // 20}"))
    return [
        Figure(f"{kind}, {jobs:,} jobs: doctor, p50", doctor_ms, "ms", 1_000),
        Figure("  audit of the ledger, p50", audit_ms, "ms", 4_000),
        Figure("  explanation of a job, p50", explain_ms, "ms", 100),
        Figure("  findings of the audit, where all is right", wrong, "", 0),
    ]


async def _examine(settings: Settings) -> None:
    found = sources(settings, load_catalog(None), adapters(settings), asks=False)
    await examine(found)


def _audit(url: str) -> tuple[float, int]:
    database = open_database(url, LONG)
    found: list[object] = []
    try:
        return _median_ms(lambda: found.extend(audit_beside(database)), rounds=3), len(found)
    finally:
        database.close()


def _explain(url: str, settings: Settings, job_id: str) -> float:
    database, look = open_database(url), onlooking_from(settings)

    def once() -> None:
        with database.reading() as tx:
            facts = look_at_job(tx, job_id, look)
        if facts is None:
            raise RuntimeError(f"{job_id} was seeded, and is not there.")
        explain(facts)

    try:
        return _median_ms(once)
    finally:
        database.close()


def _median_ms(look: Callable[[], None], rounds: int = ROUNDS) -> float:
    """Of some looks after a first."""
    took_s = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        look()
        took_s.append(time.perf_counter() - began)
    return median(took_s[1:]) * 1000


def _seed(url: str, jobs: int) -> None:
    """Users, each with a grant, the holds of all jobs, the captures of those that ended, in this order."""
    waiting = jobs // WAITING_SHARE
    ended = jobs - waiting
    recent_from = ended - jobs // RECENT_SHARE
    now = time.time()
    finished = f"CASE WHEN n > {recent_from} THEN {now} - ({ended} - n) * 3500.0 / {ended} ELSE 1700000002 + n END"
    done = {**ENDED, **OF_ACCOUNT, "status": "'completed'", "captured": str(PRICE), "finished_at": finished}
    seed_jobs(url, "ended", ended, done)
    seed_jobs(url, "waiting", waiting, {**WAITING, **OF_ACCOUNT, "start_at": f"{now} - 100000 + n / 10"})
    execute(url, *_books(ended, waiting))
    database = open_database(url)
    with database.transaction() as tx:
        presence.register(tx, worker_row())
    database.close()
    execute(url, "INSERT INTO queues (name) VALUES ('image')", *(["ANALYZE"] if url.startswith("postgres") else []))


def _books(ended: int, waiting: int) -> list[str]:
    """Of account a the k-th job to end leaves GRANT - k * PRICE."""
    columns = "account, job, kind, balance_delta, held_delta, balance_after, reference, note, at"
    nth = f"(number / {ACCOUNTS} + CASE WHEN number % {ACCOUNTS} = 0 THEN 0 ELSE 1 END)"
    entry = f"INSERT INTO ledger ({columns}) SELECT "
    left = f"{GRANT} - {PRICE} * SUM(CASE WHEN status = 'completed' THEN 1 ELSE 0 END)"
    held = f"{PRICE} * SUM(CASE WHEN status = 'pending' THEN 1 ELSE 0 END)"
    accounts = f"SELECT account, 'user-' || account, {left}, {held} FROM jobs GROUP BY account"  # noqa: S608 - ours
    return [
        f"INSERT INTO accounts (number, user_id, balance, held) {accounts}",
        f"{entry}number, NULL, 'grant', {GRANT}, 0, {GRANT}, 'grant-' || number, '', 1 FROM accounts",
        f"{entry}account, number, 'hold', 0, {PRICE}, {GRANT}, NULL, '', 2 FROM jobs ORDER BY number",
        f"{entry}account, number, 'capture', -{PRICE}, -{PRICE}, {GRANT} - {PRICE} * {nth}, NULL, '', 3"
        " FROM jobs WHERE status = 'completed' ORDER BY number",
    ]
