"""Faults of processes: workers that are not there, on another queue, too old, hanging, lost again and again."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from safelight import __version__
from tests.faults.fault import Injected, fault
from tests.faults.system import LEASE_S, System

OLD_WORKER: Final = str(Path(__file__).parents[1] / "support" / "old_worker.py")
HANGING_CLAIM_S: Final = (
    ("jobs SET start_at", "start_at"),
    ("jobs SET created_at", "created_at"),
    ("workers SET started_at", "started_at"),
)
"""What is turned back so that a job seems to have waited beside a free slot for long."""
NEVER: Final = {"live_workers": 0, "other_workers": 0, "last_seen": None}


@fault("NO_WORKER_FOR_QUEUE", "workers were never started")
def never_any(patient: System) -> Injected:
    patient.serve()
    jobs = [patient.submit(f"number {n}") for n in range(3)]
    return Injected(jobs[0], {**NEVER, "waiting": 3}, affects=(3, 3))


@fault("NO_WORKER_FOR_QUEUE", "its only worker was killed")
def killed(patient: System) -> Injected:
    _, worker = patient.working()
    worker.kill()
    _until_lost(patient, worker.pid)
    job = patient.submit()
    return Injected(job, {"waiting": 1, "live_workers": 0, "last_seen": bool}, affects=(1, 1))


@fault("NO_WORKER_FOR_QUEUE", "its only worker was stopped, and not started again")
def stopped(patient: System) -> Injected:
    _, worker = patient.working()
    worker.drain()
    job = patient.submit()
    return Injected(job, {"waiting": 1, "live_workers": 0, "last_seen": bool}, affects=(1, 1))


@fault("NO_WORKER_FOR_QUEUE", "a worker runs, of another queue")
def another_queue(patient: System) -> Injected:
    patient.serve()
    patient.worker("--queue", "video")
    job = patient.submit()
    return Injected(job, {"waiting": 1, "live_workers": 0, "other_workers": 1}, affects=(1, 1))


@fault("NO_WORKER_FOR_QUEUE", "the worker works on another database")
def another_database(patient: System) -> Injected:
    patient.serve()
    elsewhere = f"sqlite:///{patient.folder}/elsewhere.db"
    patient.made.start("db", "upgrade", database_url=elsewhere).wait()
    patient.worker(database_url=elsewhere)
    return Injected(patient.submit(), {**NEVER, "waiting": 1}, affects=(1, 1))


@fault("NO_WORKER_FOR_QUEUE", "the worker is frozen")
def frozen(patient: System) -> Injected:
    _, worker = patient.working()
    job = patient.submit(params={"n": 1})
    patient.until_status(job, "completed")
    worker.freeze()
    _until_lost(patient, worker.pid)
    return Injected(patient.submit("another"), {"waiting": 1, "live_workers": 0, "last_seen": bool}, affects=(1, 1))


@fault("WORKER_MISSING", "one of two expected does not run")
def one_of_two(patient: System) -> Injected:
    patient.made.set(expected_workers="image:2")
    patient.working()
    return Injected(evidence={"expected": 2, "live": 1})


@fault("WORKER_MISSING", "the one that is expected for an idle queue was killed")
def expected_and_idle(patient: System) -> Injected:
    patient.made.set(expected_workers="video:1")
    _, worker = patient.working()
    worker.kill()
    _until_lost(patient, worker.pid)
    return Injected(evidence={"expected": 1, "live": 0})


@fault("WORKER_TOO_OLD", "one of an earlier release is left over")
def too_old(patient: System) -> Injected:
    patient.serve()
    old = patient.worker(program=OLD_WORKER)
    code, said = patient.command("workers", "require", __version__)
    assert code == 0, said
    old.wait()
    return Injected(patient.submit(), {"required": __version__, "version": "0.0.1"}, affects=(1, 1))


@fault("WORKER_TOO_OLD", "one of an earlier release is started, and turned away")
def turned_away(patient: System) -> Injected:
    patient.serve()
    code, said = patient.command("workers", "require", __version__)
    assert code == 0, said
    assert patient.made.begin_worker(program=OLD_WORKER).wait() != 0
    return Injected(patient.submit(), {"required": __version__, "version": "0.0.1"}, affects=(1, 1))


@fault("WORKER_TOO_OLD", "as a job that waits has it", ask="explain")
def too_old_explained(patient: System) -> Injected:
    return replace(too_old(patient), evidence={"required": __version__, "versions": ["0.0.1"]})


@fault("SWEEPER_DEAD", "every process is gone while a job runs")
def nobody_left(patient: System) -> Injected:
    server, worker = patient.working()
    job = patient.submit(params={"width": 1024, "height": 1024})
    patient.until(lambda: patient.status(job) == "processing", "it runs")
    worker.kill()
    server.kill()
    time.sleep(2 * LEASE_S)  # nobody is there who could say that it is over
    return Injected(job, {"live_processes": 0})


@fault("WORKER_RESTARTS", "a worker dies again and again")
def restarts(patient: System) -> Injected:
    patient.serve()
    for _ in range(3):
        worker = patient.worker()
        worker.kill()
        _until_lost(patient, worker.pid)
    patient.worker()

    def ten_minutes_later() -> None:
        patient.change("UPDATE workers SET lost_at = lost_at - 700 WHERE lost_at IS NOT NULL")

    return Injected(evidence={"lost": 3}, by_hand=ten_minutes_later)


@fault("QUEUE_PAUSED", "an operator forgot it", ask="explain")
def paused(patient: System) -> Injected:
    patient.working()
    code, said = patient.command("queue", "pause", "image", "--reason", "a test")
    assert code == 0, said
    return Injected(patient.submit(), {"queue": "image"}, affects=(1, 1))


@fault("NO_WORKER_FOR_QUEUE", "as a user asks who waits", ask="explain")
def never_any_explained(patient: System) -> Injected:
    patient.serve()
    return Injected(patient.submit(), NEVER, affects=(1, 1))


@fault("LEASE_EXPIRED", "its worker was killed a moment ago", ask="explain", sweep_seconds=20, lease_seconds=6)
def lease_expired(patient: System) -> Injected:
    server, worker = patient.working()
    job = patient.submit(params={"width": 1024, "height": 1024})
    patient.until(lambda: patient.status(job) == "processing", "it runs")
    server.freeze()  # else it would have taken the job back before anybody can ask
    worker.send(signal.SIGKILL)
    worker.wait()

    def go_on() -> None:
        server.send(signal.SIGCONT)
        patient.worker()

    return Injected(job, {"sweep_due_in_s": lambda s: 0 <= s <= 30}, go_on)


def _until_lost(patient: System, pid: int) -> None:
    """The sweep has seen that it is gone."""
    query = f"SELECT lost_at FROM workers WHERE pid = {pid} AND lost_at IS NOT NULL"  # noqa: S608 - a number
    patient.until(lambda: patient.rows(query), f"{pid} is known to be lost")
