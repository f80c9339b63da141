"""Jobs that wait or run: each verdict of `safelight explain` that is not about a fault of the whole system."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from typing import Final

from safelight.testing.mishaps import Mishap
from tests.faults.fault import Injected, fault
from tests.faults.machinery import HANGING_CLAIM_S
from tests.faults.system import KEY, PAID_MODEL, System

OFTEN: Final = f"INSERT INTO durations (model, jobs, p50_s, p95_s, p99_s) VALUES ('{PAID_MODEL}', 9, 0.1, "  # noqa: S608 - ours


@fault("SCHEDULED", "its user asked for tomorrow", ask="explain", goes=False)
def tomorrow(patient: System) -> Injected:
    patient.working()
    at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    return Injected(patient.submit(start_at=at), ends=())


@fault("SCHEDULED", "a try failed, and the next one comes", ask="explain")
def tried_again(patient: System) -> Injected:
    provider = patient.paid()
    patient.working()
    provider.misbehave(Mishap.OVERLOADED)
    job = patient.submit_paid()
    patient.until(lambda: patient.rows("SELECT 1 FROM events WHERE type = 'job.retrying'"), "a try failed")
    return Injected(job, {"attempt": 1})


@fault("PROVIDER_NOT_CONFIGURED", "as a job that waits has it", ask="explain")
def without_key(patient: System) -> Injected:
    patient.paid()
    patient.serve()
    patient.made.give({"REPLICATE_API_TOKEN": ""})
    without = patient.worker()
    patient.made.give({"REPLICATE_API_TOKEN": KEY})

    def give_the_key() -> None:
        without.drain()
        patient.worker()

    return Injected(patient.submit_paid(), {"wanted": ["replicate"]}, give_the_key)


@fault("PROVIDER_OUT_OF_CREDIT", "as a job that waits has it", ask="explain")
def out_of_credit(patient: System) -> Injected:
    provider = patient.paid()
    patient.working()
    provider.misbehave(Mishap.NO_MONEY)
    patient.submit_paid("one")
    patient.until(lambda: patient.rows("SELECT 1 FROM gates WHERE tripped_at IS NOT NULL"), "the gate is shut")
    return Injected(patient.submit_paid("two"))


@fault("PROVIDER_BREAKER_OPEN", "it failed five times in a row", ask="explain")
def breaker(patient: System) -> Injected:
    provider = patient.paid()
    patient.working()
    provider.misbehave(Mishap.OVERLOADED, times=5)
    for n in range(5):
        patient.submit_paid(f"number {n}")
    patient.until(lambda: patient.rows("SELECT 1 FROM gates WHERE tripped_at IS NOT NULL"), "the gate is shut")
    return Injected(patient.submit_paid("one more"), {"failures": 5})


@fault("USER_LIMIT", "one at a time is allowed, and one runs", ask="explain", user_running_limit=1)
def user_limit(patient: System) -> Injected:
    patient.paid()
    patient.working()
    patient.submit_paid("one seconds=8")
    patient.until(lambda: patient.rows("SELECT 1 FROM calls WHERE state = 'accepted'"), "it runs")
    job = patient.submit_paid("two")
    patient.until(lambda: patient.rows("SELECT 1 FROM jobs WHERE waiting_for LIKE 'user:%'"), "it waits")
    return Injected(job, {"running": 1})


@fault("WORKERS_SATURATED", "the only slot is busy", ask="explain")
def saturated(patient: System) -> Injected:
    patient.paid()
    patient.serve()
    patient.worker("--concurrency", "1")
    patient.submit_paid("one seconds=8")
    patient.until(lambda: patient.rows("SELECT 1 FROM calls WHERE state = 'accepted'"), "it runs")
    return Injected(patient.submit("two"), {"position": 1, "slots": 1, "running": 1})


@fault("WORKER_STALLED", "its worker beats and claims nothing", ask="explain", lease_seconds=120)
def stalled(patient: System) -> Injected:
    _, worker = patient.working()
    worker.freeze()  # within its lease it looks alive
    job = patient.submit()
    patient.change(*(f"UPDATE {table} = {column} - 100" for table, column in HANGING_CLAIM_S))

    def restart() -> None:
        worker.kill()
        patient.worker()

    return Injected(job, {"slots": lambda n: n >= 1}, restart)


@fault("PROVIDER_SLOW", "beyond what nearly all of its kind needed", ask="explain")
def slow(patient: System) -> Injected:
    patient.paid()
    patient.working()
    patient.change(f"{OFTEN} 0.2, 60)")
    job = patient.submit_paid("one seconds=8")
    patient.until(lambda: patient.explain(job)["verdict"]["code"] != "HEALTHY_RUN", "it is slow")
    return Injected(job, {"p95_s": 0.2, "p99_s": 60.0})


@fault("PROVIDER_SILENT", "beyond what all but one in a hundred of its kind needed", ask="explain")
def silent(patient: System) -> Injected:
    patient.paid()
    patient.working()
    patient.change(f"{OFTEN} 0.2, 0.3)")
    job = patient.submit_paid("one seconds=10")
    patient.until(lambda: patient.explain(job)["verdict"]["code"] == "PROVIDER_SILENT", "it is silent")
    return Injected(job, {"p99_s": 0.3}, ends=("completed", "canceled"))


@fault("PROVIDER_UNKNOWN", "the connection was lost after it was sent", ask="explain", goes=False, reconcile_seconds=4)
def unknown(patient: System) -> Injected:
    provider = patient.paid()
    patient.working()
    provider.misbehave(Mishap.CUT_AFTER)
    job = patient.submit_paid()
    patient.until(lambda: patient.rows("SELECT 1 FROM calls WHERE state = 'unknown'"), "nobody knows")
    return Injected(job, {"provider": "replicate"}, ends=("completed", "failed"), within_s=60)


@fault("CANCEL_PENDING", "its worker hangs and does not hear of it", ask="explain", lease_seconds=6)
def cancel_pending(patient: System) -> Injected:
    _, worker = patient.working()
    job = patient.submit(params={"width": 1024, "height": 1024})
    patient.until(lambda: patient.status(job) == "processing", "it runs")
    worker.send(signal.SIGSTOP)
    assert patient.made.request("POST", f"/api/jobs/{job}/cancel").status_code == 200
    return Injected(job, {"ends_in_s": lambda s: 0 <= s <= 6}, lambda: worker.send(signal.SIGCONT), ends=("canceled",))
