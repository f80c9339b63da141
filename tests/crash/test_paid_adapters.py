"""Providers with shipped adapters, and workers killed around their calls: one POST, one asset."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paid import MODELS, Paid, paid

CRASHING = {"test_mode": 1}


@pytest.fixture(params=sorted(MODELS))
def there(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Paid]:
    with paid(tmp_path, request.param, lease_seconds=2, sweep_seconds=0.5) as found:
        found.made.serve("--no-worker")
        yield found


def test_a_worker_killed_between_acceptance_and_result_leaves_one_post_and_one_asset(there: Paid) -> None:
    doomed = there.made.begin_worker(**CRASHING, test_crash="LiveCall._poll_until_answered.wait=kill")
    doomed.until("worker.started")
    job_id = there.submit("a lighthouse seconds=1")
    assert doomed.wait() == -signal.SIGKILL
    assert len(there.provider.billed()) == 1
    there.made.worker().until("call.resumed")
    (job,) = there.made.until_ended([job_id])
    assert job["status"] == "completed", job
    assert len(there.provider.billed()) == 1
    assert len(there.made.rows("SELECT id FROM assets")) == 1
    (call,) = there.made.rows("SELECT state, remote_id FROM calls")
    assert call["state"] == "succeeded"
