"""A process killed amid a recovery of 400 jobs, before a commit, after it, and once more: each is moved once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from safelight.testing.databases import LentDatabases
from tests.support.books import check_books, check_done_once
from tests.support.server import Installation, Running, installation

PATH = "/api/admin/recoveries"
STUCK = 400


@pytest.fixture(params=["sqlite", "postgres"])
def stuck(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    """An installation with jobs that nobody takes."""
    if request.param == "sqlite":
        with installation(tmp_path / "stuck", lease_seconds=2.0, sweep_seconds=0.5) as found:
            yield found
        return
    lent: LentDatabases = request.getfixturevalue("postgres_databases")
    with (
        lent.lent() as url,
        installation(tmp_path / "stuck", lease_seconds=2.0, sweep_seconds=0.5, database_url=url) as found,
    ):
        yield found


def serve(made: Installation) -> Running:
    """A server that runs no jobs."""
    return made.serve("--no-worker")


def planned(made: Installation, action: str, *, jobs: int, after_s: float, **also: object) -> str:
    meant = {"queue": "image", **also}
    asked = {"action": action, "filter": meant, "after_s": after_s, "message": "Sorry."}
    answer = made.request("POST", PATH, json=asked)
    assert (answer.status_code, answer.json().get("jobs")) == (201, jobs), answer.text
    recovery_id: str = answer.json()["id"]
    return recovery_id


def done(made: Installation, recovery_id: str, process: Running) -> dict[str, Any]:
    process.until("recovery_done")
    body: dict[str, Any] = made.request("GET", f"{PATH}/{recovery_id}").json()
    return body


def test_each_credit_comes_back_once_however_often_the_sweeping_process_is_killed(stuck: Installation) -> None:
    serve(stuck)
    stuck.submit_many(STUCK)
    recovery_id = planned(stuck, "fail", jobs=STUCK, after_s=1.0)
    stuck.started[-1].kill()
    for point in ("carry_out.before_commit", "carry_out.after_commit", "carry_out.before_commit"):
        server = stuck.begin_server("--no-worker", test_mode=1, test_crash=f"{point}=kill")
        server.wait()
        assert server.said("crash_point"), server.tail()
        check_books(stuck)
    failed = stuck.rows("SELECT count(*) AS n FROM jobs WHERE status = 'failed'")
    assert failed == [{"n": 200}], "one slice of two was done, and whole"
    seen = done(stuck, recovery_id, serve(stuck))
    assert (seen["state"], seen["outcomes"]) == ("done", {"failed": STUCK})
    check_books(stuck)
    assert stuck.rows("SELECT sum(held) AS n FROM accounts") == [{"n": 0}]


def test_stuck_jobs_are_requeued_and_run_to_completion(made: Installation) -> None:
    server = serve(made)
    jobs = made.submit_many(40)
    recovery_id = planned(made, "requeue", jobs=40, after_s=0.0)
    assert done(made, recovery_id, server)["outcomes"] == {"requeued": 40}
    made.worker()
    made.until_ended(jobs)
    check_done_once(made, jobs)


def recoveries(made: Installation) -> list[dict[str, Any]]:
    body: dict[str, Any] = made.request("GET", PATH).json()
    found: list[dict[str, Any]] = body["recoveries"]
    return found


@pytest.mark.parametrize("point", ["plan.before_commit", "plan.after_commit"])
def test_a_plan_whose_answer_was_lost_is_there_whole_or_not_at_all(made: Installation, point: str) -> None:
    server = made.serve("--no-worker", test_mode=1, test_crash=f"{point}=kill")
    made.submit_many(3)
    with pytest.raises(httpx.HTTPError):
        planned(made, "fail", jobs=3, after_s=1.0)
    server.wait()
    server = serve(made)
    found = recoveries(made)
    assert [plan["jobs"] for plan in found] == ([3] if point == "plan.after_commit" else [])
    for plan in found:
        assert done(made, plan["id"], server)["outcomes"] == {"failed": 3}
    check_books(made)


@pytest.mark.parametrize("point", ["stop.before_commit", "stop.after_commit"])
def test_a_stop_whose_answer_was_lost_can_be_asked_for_again(made: Installation, point: str) -> None:
    server = made.serve("--no-worker", test_mode=1, test_crash=f"{point}=kill")
    made.submit_many(3)
    recovery_id = planned(made, "fail", jobs=3, after_s=600.0)
    with pytest.raises(httpx.HTTPError):
        made.request("DELETE", f"{PATH}/{recovery_id}")
    server.wait()
    serve(made)
    made.request("DELETE", f"{PATH}/{recovery_id}")
    assert [plan["state"] for plan in recoveries(made)] == ["canceled"]
    assert {row["status"] for row in made.rows("SELECT status FROM jobs")} == {"pending"}


@pytest.mark.parametrize("point", ["made.before_commit", "made.after_commit"])
def test_jobs_are_made_again_once_though_the_process_that_did_it_was_killed(made: Installation, point: str) -> None:
    server = serve(made)
    ids = made.submit_many(3)
    for job_id in ids:
        assert made.request("POST", f"/api/jobs/{job_id}/cancel").is_success
    recovery_id = planned(made, "retry", jobs=3, after_s=1.0, status=["canceled"])
    server.kill()
    doomed = made.begin_server("--no-worker", test_mode=1, test_crash=f"{point}=kill")
    doomed.wait()
    assert doomed.said("crash_point"), doomed.tail()
    assert done(made, recovery_id, serve(made))["state"] == "done"
    again = made.rows("SELECT replay_of FROM jobs WHERE replay_of IS NOT NULL")
    assert len(again) == len({row["replay_of"] for row in again}) == 3
    check_books(made)
