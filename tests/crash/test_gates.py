"""Gates among real processes: one provider, several workers, and one that dies with the only trial in its hands."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.campaign import faults
from tests.crash.campaign.house import House, house
from tests.crash.campaign.verdict import judge

GATE = "SELECT tripped_at, trial_call, trial_until FROM gates"


@pytest.fixture
def paid(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path / "house") as found:
        yield found


def test_workers_together_make_no_more_calls_at_a_time_than_allowed(paid: House, tmp_path: Path) -> None:
    catalog = tmp_path / "house" / "offered" / "stand-in.toml"
    catalog.write_text(catalog.read_text() + "\n[providers.stand-in]\nconcurrency = 1\n")
    workers = [paid.worker(), paid.worker()]
    ids = paid.submit([f"a lighthouse {n} answer=now seconds=0.2" for n in range(8)])
    assert paid.until_ended(ids, 40)
    verdict = judge(paid, ids)
    assert (verdict.complaints, dict(verdict.endings)) == ([], {"completed": 8})
    calls = paid.rows("SELECT sending_at, ended_at FROM calls ORDER BY sending_at")
    assert [n for n in range(1, 8) if calls[n]["sending_at"] < calls[n - 1]["ended_at"]] == []
    assert {row["attempt"] for row in paid.rows("SELECT attempt FROM jobs")} == {1}
    assert any(worker.said("job.completed") for worker in workers)


def test_a_trial_whose_owner_was_killed_is_over_in_time_and_the_next_opens_the_gate(paid: House) -> None:
    faults.gate_shut(paid)
    faults.gate_opened(paid)
    doomed = paid.begin_worker("sending.after_commit=kill")
    doomed.until("worker.started")
    first = paid.submit_one("a lighthouse answer=now")
    assert doomed.wait() == -signal.SIGKILL
    (gate,) = paid.rows(GATE)
    assert gate["trial_call"] is not None
    second = paid.submit_one("another lighthouse answer=now")
    paid.worker()
    assert paid.until(lambda: paid.jobs([second], "waiting_for")[0]["waiting_for"] == "gate:stand-in", 20)
    assert paid.provider.billed() == []
    paid.change("UPDATE gates SET trial_until = 0")  # as two minutes would
    assert paid.until_ended([first, second], 40)
    assert paid.jobs([second], "status")[0]["status"] == "completed"
    assert paid.rows(GATE) == [{"tripped_at": None, "trial_call": None, "trial_until": None}]
    assert len(paid.provider.billed()) == 1


def test_a_worker_killed_while_it_lets_jobs_in_leaves_them_to_the_others(paid: House) -> None:
    faults.gate_shut(paid)
    job_id = paid.submit_one("a lighthouse answer=now")
    doomed = paid.begin_worker("let_through.before_commit=kill")
    assert paid.until(lambda: paid.jobs([job_id], "waiting_for")[0]["waiting_for"] == "gate:stand-in", 20)
    faults.gate_opened(paid)
    assert doomed.wait() == -signal.SIGKILL
    paid.worker()
    assert paid.until_ended([job_id], 30)
    verdict = judge(paid, [job_id])
    assert (verdict.complaints, dict(verdict.endings)) == ([], {"completed": 1})
