"""Faults that only numbers show: books that do not agree, too much work, too many errors, too slow, too expensive."""

from __future__ import annotations

import signal

from tests.faults.fault import Injected, fault
from tests.faults.system import System


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


@fault("ERROR_RATE", "a provider fails again and again, in its own words")
def error_rate(patient: System) -> Injected:
    patient.paid()
    patient.working()
    for n in range(11):
        patient.until_status(patient.submit_paid(f"number {n} mishap=retired"), "failed")

    def an_hour_later() -> None:
        patient.change("UPDATE jobs SET finished_at = finished_at - 3700 WHERE finished_at IS NOT NULL")

    return Injected(evidence={}, by_hand=an_hour_later)
