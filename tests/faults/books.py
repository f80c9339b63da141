"""Faults that only numbers show: books that do not agree, too much work, too many errors, too slow, too expensive."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Final

from tests.faults.fault import Injected, fault
from tests.faults.system import PAID_MODEL, System

LAGGING_WORKER: Final = str(Path(__file__).parents[1] / "support" / "lagging_worker.py")


@fault("LEDGER_MISMATCH", "somebody changed an account by hand")
def ledger(patient: System) -> Injected:
    patient.working()
    patient.until_status(patient.submit(), "completed")
    patient.change("UPDATE accounts SET held = held + 5")
    return Injected(
        evidence={"difference": 5, "held": 5, "should_be_held": 0},
        by_hand=lambda: patient.change("UPDATE accounts SET held = held - 5"),
        affects=(0, 5),
    )


@fault("BACKLOG", "more came in than one slot can do")
def backlog(patient: System) -> Injected:
    _, worker = patient.serve(), patient.worker("--concurrency", "1")
    worker.send(signal.SIGSTOP)
    for n in range(120):
        patient.submit(f"number {n}")
    patient.change("UPDATE jobs SET start_at = start_at - 3600, created_at = created_at - 3600")
    patient.change("UPDATE workers SET beat_at = beat_at + 3600 WHERE slots > 0")
    return Injected(
        evidence={"waiting": 120, "slots": 1}, by_hand=lambda: worker.send(signal.SIGCONT), affects=(120, 120)
    )


@fault("SLOW", "a job takes far longer than all of its kind")
def slow(patient: System) -> Injected:
    patient.paid()
    patient.working()
    patient.change(f"INSERT INTO durations (model, jobs, p50_s, p95_s) VALUES ('{PAID_MODEL}', 9, 0.1, 0.2)")  # noqa: S608
    job = patient.submit_paid("one seconds=20")
    patient.until(lambda: _codes(patient) == {"SLOW"}, "it is slow")
    return Injected(job, {"p95_s": 0.2, "longest_s": lambda s: s > 10})


@fault("JOBS_PAST_DEADLINE", "the only process left is frozen, and nobody has noticed yet", lease_seconds=60)
def past_deadline(patient: System) -> Injected:
    server, worker = patient.working()
    job = patient.submit(params={"width": 1024, "height": 1024})
    patient.until(lambda: patient.status(job) == "processing", "it runs")
    worker.freeze()
    server.drain()
    patient.change("UPDATE jobs SET deadline_at = deadline_at - 100000")
    return Injected(job, {"jobs": 1}, ends=("failed",), affects=(1, 1))


@fault("LOOP_LAG", "an adapter computes where it should wait", lease_seconds=12)
def lag(patient: System) -> Injected:
    patient.serve()
    patient.worker(program=LAGGING_WORKER)
    job = patient.submit()
    patient.until(lambda: patient.rows("SELECT 1 FROM workers WHERE loop_lag_ms > 1000"), "it beats late")
    return Injected(job, {"loop_lag_ms": lambda ms: ms > 1000})


@fault("MEMORY_HIGH", "as its row says of a process that has grown", lease_seconds=600)
def memory(patient: System) -> Injected:
    _, worker = patient.working()
    worker.freeze()  # else its next beat would tell the truth
    patient.change(f"UPDATE workers SET rss_bytes = {2**50} WHERE slots > 0")  # noqa: S608 - a number
    return Injected(evidence={"rss_bytes": 2**50}, by_hand=worker.kill)


@fault("CREDIT_SPIKE", "one user submits again and again", alert_credits_times=2)
def spike(patient: System) -> Injected:
    patient.working()
    usual = ", ".join(f"(CAST(floor(unixepoch() / 3600) AS INTEGER) - {n}, 10, 5)" for n in range(1, 40))
    if patient.kind == "postgres":
        usual = usual.replace("unixepoch()", "extract(epoch FROM now())")
    patient.change(f"INSERT INTO usage_hours (hour, credits, jobs) VALUES {usual}")  # noqa: S608 - numbers
    for n in range(30):
        patient.submit(f"number {n}", params={"n": 4})
    patient.until(lambda: not patient.rows("SELECT 1 FROM jobs WHERE status <> 'completed'"), "all are done")

    def an_hour_later() -> None:
        patient.change("UPDATE jobs SET finished_at = finished_at - 3700")

    return Injected(evidence={"last_hour": 120, "mean": 10, "hours": 39, "of_them": 120}, by_hand=an_hour_later)


@fault("ERROR_RATE", "a provider fails again and again, in its own words")
def error_rate(patient: System) -> Injected:
    patient.paid()
    patient.working()
    for n in range(11):
        patient.until_status(patient.submit_paid(f"number {n} mishap=retired"), "failed")

    def an_hour_later() -> None:
        patient.change("UPDATE jobs SET finished_at = finished_at - 3700 WHERE finished_at IS NOT NULL")

    return Injected(evidence={}, by_hand=an_hour_later)


def _codes(patient: System) -> set[str]:
    return {str(each["code"]) for each in patient.doctor()["findings"]}
