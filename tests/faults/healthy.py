"""Systems that look odd and in which nothing is wrong: no finding may be above `info`."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta

from safelight.testing.mishaps import Mishap
from tests.faults.fault import healthy
from tests.faults.system import PAID_MODEL, System


@healthy("idle, with a server and a worker")
def idle(odd: System) -> None:
    odd.working()


@healthy("just started, with the first job")
def just_started(odd: System) -> None:
    odd.working()
    odd.submit()


@healthy("a server without a worker, and nothing to do")
def nothing_to_do(odd: System) -> None:
    odd.serve()


@healthy("everything stopped in good order")
def stopped(odd: System) -> None:
    server, worker = odd.working()
    odd.until_status(odd.submit(), "completed")
    worker.drain()
    server.drain()


@healthy("a burst that was just submitted")
def burst(odd: System) -> None:
    odd.working()
    for n in range(120):
        odd.submit(f"number {n}")


@healthy("a long film that runs, as films do")
def long_film(odd: System) -> None:
    odd.paid()
    odd.working()
    odd.change(f"INSERT INTO durations (model, jobs, p50_s, p95_s, p99_s) VALUES ('{PAID_MODEL}', 9, 60, 300, 400)")  # noqa: S608
    odd.submit_paid("one seconds=20")
    odd.until(lambda: odd.rows("SELECT 1 FROM calls WHERE state = 'accepted'"), "it runs")


@healthy("a queue that is paused on purpose, with jobs in it")
def paused(odd: System) -> None:
    odd.working()
    assert odd.command("queue", "pause", "image", "--reason", "new disks")[0] == 0
    odd.submit()


@healthy("in maintenance, finishing what runs")
def maintenance(odd: System) -> None:
    odd.working()
    odd.submit()
    assert odd.command("maintenance", "on", "--message", "Back at noon.")[0] == 0


@healthy("one of two workers restarted once")
def restarted(odd: System) -> None:
    _, first = odd.working()
    odd.worker()
    first.kill()
    odd.until(lambda: odd.rows("SELECT 1 FROM workers WHERE lost_at IS NOT NULL"), "it is known to be lost")
    odd.worker()


@healthy("a worker that is asked to stop while it works")
def draining(odd: System) -> None:
    odd.paid()
    _, worker = odd.working(drain_seconds=30)
    odd.submit_paid("one seconds=10")
    odd.until(lambda: odd.rows("SELECT 1 FROM calls WHERE state = 'accepted'"), "it runs")
    worker.send(signal.SIGTERM)


@healthy("jobs for tomorrow, and nobody to make them yet")
def tomorrow(odd: System) -> None:
    odd.serve()
    at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    odd.submit(start_at=at)


@healthy("prompts that its provider refused, one after the other")
def refused(odd: System) -> None:
    odd.paid()
    odd.working()
    for n in range(15):
        odd.until_status(odd.submit_paid(f"number {n} mishap=content_rejected"), "failed")


@healthy("jobs that their users canceled")
def canceled(odd: System) -> None:
    odd.serve()
    jobs = [odd.submit(f"number {n}") for n in range(15)]
    for job in jobs:
        assert odd.made.request("POST", f"/api/jobs/{job}/cancel").is_success
    odd.worker()


@healthy("a provider that asked once for a pause")
def busy_once(odd: System) -> None:
    provider = odd.paid()
    odd.working()
    provider.misbehave(Mishap.BUSY)
    odd.submit_paid()
    odd.until(lambda: odd.rows("SELECT 1 FROM gates WHERE cooldown_until IS NOT NULL"), "it cools down")


@healthy("failures of last week, all forgotten")
def last_week(odd: System) -> None:
    odd.paid()
    odd.working()
    for n in range(12):
        odd.until_status(odd.submit_paid(f"number {n} mishap=retired"), "failed")
    odd.change("UPDATE jobs SET finished_at = finished_at - 600000, created_at = created_at - 600000")
