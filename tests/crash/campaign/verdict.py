"""What must hold after every disaster, judged by the database, the stored files and the provider's own bill."""

from __future__ import annotations

import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from safelight.services.aftercare import LOOKED_AFTER_S
from safelight.services.audit import audit
from safelight.store.connect import open_database
from safelight.testing.stand_in_provider import read_wish
from tests.crash.campaign.house import SWEEP_S, House

SLACK_S = 3.0
"""How much later than one sweep after its deadline a job may end on a busy machine of two cores."""
ENDED = frozenset({"completed", "failed", "canceled", "partial"})


@dataclass(slots=True)
class Verdict:
    """Counts of broken promises, and a line about each."""

    jobs: int = 0
    completed: int = 0
    lost: int = 0
    doubled: int = 0
    late: int = 0
    holds: int = 0
    audit: int = 0
    assets: int = 0
    unwatched: int = 0
    recoveries_s: list[float] = field(default_factory=list)
    endings: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not self.complaints


def judge(house: House, ids: Sequence[str], *, outage_s: float = 0.0) -> Verdict:
    """The verdict on these jobs once they should all have ended. `outage_s`: how long nobody could end any."""
    verdict = Verdict(jobs=len(ids))
    jobs = house.jobs(ids)
    _judge_jobs(verdict, ids, jobs, outage_s)
    _judge_bill(verdict, house, jobs)
    _judge_books(verdict, house)
    _judge_assets(verdict, house, jobs)
    _judge_open_calls(verdict, house)
    return verdict


def _judge_jobs(verdict: Verdict, ids: Sequence[str], jobs: Sequence[dict[str, Any]], outage_s: float) -> None:
    missing = set(ids) - {job["id"] for job in jobs}
    open_jobs = [job for job in jobs if job["status"] not in ENDED]
    verdict.lost = len(missing) + len(open_jobs)
    verdict.complaints += [f"job {job_id} was answered with 202 and is gone" for job_id in missing]
    verdict.complaints += [f"job {job['id']} has not ended: {job['status']}/{job['stage']}" for job in open_jobs]
    for job in jobs:
        code = job["error"] and job["error"].partition('"code":"')[2].partition('"')[0]
        verdict.endings[f"{job['status']} {code}" if code else job["status"]] += 1
        if (
            job["status"] in ENDED
            and (late_s := job["finished_at"] - job["deadline_at"] - outage_s) > SWEEP_S + SLACK_S
        ):
            verdict.late += 1
            verdict.complaints.append(f"job {job['id']} ended {late_s:.1f} s after its deadline")
    verdict.completed = verdict.endings["completed"]


def _judge_bill(verdict: Verdict, house: House, jobs: Sequence[dict[str, Any]]) -> None:
    """One accepted POST per job; more only if the provider reported a failure, or the policy is `retry_once`."""
    calls = house.rows("SELECT id, job, given_up_at FROM calls")
    owner = {row["id"]: row["job"] for row in calls}
    given_up = Counter(row["job"] for row in calls if row["given_up_at"] is not None)
    billed = Counter(owner.get(one.call_id) for one in house.provider.billed()[house.billed_before :])
    if unrecorded := billed[None]:
        verdict.doubled += unrecorded
        verdict.complaints.append(f"{unrecorded} POSTs were billed that no call row tells of")
    for job in jobs:
        allowed = job["max_attempts"] if read_wish(job["prompt"]).answer == "broken" else 1
        if (extra := billed[job["number"]] - allowed - given_up[job["number"]]) > 0:
            verdict.doubled += extra
            verdict.complaints.append(f"job {job['id']} was billed {billed[job['number']]} times: {job['prompt']!r}")


def _judge_books(verdict: Verdict, house: House) -> None:
    held = house.rows("SELECT coalesce(sum(held), 0) n FROM accounts")[0]["n"]
    owed = house.rows("SELECT coalesce(sum(price), 0) n FROM jobs WHERE status IN ('pending', 'processing')")[0]["n"]
    if held != owed:
        verdict.holds += 1
        verdict.complaints.append(f"{held} credits are held, live jobs hold {owed}")
    database = open_database(house.database_url)
    try:
        with database.reading() as tx:
            found = [f"{finding.code}: {finding.what}" for finding in audit(tx)]
    finally:
        database.close()
    verdict.audit += len(found)
    verdict.complaints += found


def _judge_assets(verdict: Verdict, house: House, jobs: Sequence[dict[str, Any]]) -> None:
    """Each completed job has its pictures once, and every file is still the one that was recorded."""
    of_job = defaultdict[int, list[dict[str, Any]]](list)
    for row in house.rows("SELECT job, key, sha256, recovered FROM assets"):
        of_job[row["job"]].append(row)
    for job in jobs:
        rows = of_job[job["number"]]
        shown = [row for row in rows if not row["recovered"]]
        wrong = len(shown) != (job["outputs"] if job["status"] == "completed" else 0)
        changed = [row["key"] for row in rows if _digest(house, row["key"]) != row["sha256"]]
        if wrong or changed:
            verdict.assets += 1
            verdict.complaints.append(
                f"job {job['id']} ({job['status']}) has {len(shown)} pictures; changed: {changed}"
            )


def _digest(house: House, key: str) -> str:
    path = house.folder / "data" / "assets" / key
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "missing"


def _judge_open_calls(verdict: Verdict, house: House) -> None:
    """An open call that no job waits for has somebody who comes back to it, for a day."""
    left = house.rows(
        "SELECT c.id, c.state FROM calls c JOIN jobs j ON j.number = c.job WHERE c.check_at IS NULL"  # noqa: S608 - a number
        f" AND c.state IN ('sending', 'accepted', 'unknown') AND c.sending_at > {time.time() - LOOKED_AFTER_S}"
        " AND (c.given_up_at IS NOT NULL OR j.status IN ('completed', 'failed', 'canceled'))"
    )
    verdict.unwatched = len(left)
    verdict.complaints += [f"call {row['id']} is {row['state']}, and nobody looks after it" for row in left]
