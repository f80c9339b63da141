"""A provider that costs money, and workers that die or freeze around its calls: each job is billed once, and ends.

A handful of what `make crash` plays by the hundred, at the places that matter most.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.campaign.house import House, house
from tests.crash.campaign.verdict import judge

LATER = "a lighthouse answer=later seconds=0.5"


@pytest.fixture
def paid(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path / "house") as found:
        yield found


def check(paid: House, ids: list[str], **endings: int) -> None:
    verdict = judge(paid, ids)
    assert verdict.complaints == []
    assert dict(verdict.endings) == endings


def test_a_call_whose_worker_was_killed_after_it_was_accepted_is_resumed_and_billed_once(paid: House) -> None:
    doomed = paid.begin_worker("LiveCall._poll_until_answered.wait=kill")
    doomed.until("worker.started")
    job_id = paid.submit_one(LATER)
    assert doomed.wait() == -signal.SIGKILL
    paid.worker().until("call.resumed")
    assert paid.until_ended([job_id], 30)
    check(paid, [job_id], completed=1)
    assert len(paid.provider.billed()) == 1


def test_a_call_whose_worker_was_killed_before_it_heard_an_answer_is_never_made_again(paid: House) -> None:
    doomed = paid.begin_worker("accepted.before_commit=kill")
    doomed.until("worker.started")
    job_id = paid.submit_one(LATER)
    assert doomed.wait() == -signal.SIGKILL
    paid.worker()
    assert paid.until_ended([job_id], 30)
    verdict = judge(paid, [job_id])
    assert verdict.complaints == []
    assert len(paid.provider.billed()) == 1


def test_a_zombie_that_stores_after_its_successor_finished_changes_nothing(paid: House) -> None:
    zombie = paid.begin_worker("Delivery._keep.put_file=stop")
    zombie.until("worker.started")
    job_id = paid.submit_one(LATER)
    zombie.until("crash_point")
    zombie.until_stopped()
    zombie.freeze()  # elsewhere, should it hold the lock of SQLite: then nobody could go on
    paid.worker()
    assert paid.until_ended([job_id], 30)
    before = paid.rows("SELECT key, sha256 FROM assets")
    zombie.send(signal.SIGCONT)
    zombie.until("job.taken_away")
    assert paid.rows("SELECT key, sha256 FROM assets") == before
    check(paid, [job_id], completed=1)
