"""Paid providers as an operator sets them up: a key, an address, and jobs that end well or say exactly why not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support.paid import MODELS, paid, reachable


@pytest.mark.parametrize("name", sorted(MODELS))
def test_with_a_key_in_the_environment_a_picture_is_made(tmp_path: Path, name: str) -> None:
    with paid(tmp_path, name) as there:
        there.made.serve()
        (job,) = there.made.until_ended([there.submit("a lighthouse")])
        assert job["status"] == "completed", job
        (asset,) = job["assets"]
        picture = there.made.request("GET", asset["url"])
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
        assert len(there.provider.billed()) == 1


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_lost_answer_is_healed_by_what_the_provider_announces(tmp_path: Path, name: str) -> None:
    words, settings = reachable()
    with paid(tmp_path, name, **settings) as there:
        server = there.made.serve(*words)
        whenever = [f"a lighthouse {n} mishap=cut_after seconds={s}" for n, s in enumerate((0, 0, 0.01, 0.5))]
        jobs = there.made.until_ended([there.submit(prompt) for prompt in whenever])
        assert [job["status"] for job in jobs] == ["completed"] * 4, jobs
        assert len(there.provider.billed()) == 4
        assert server.said("call.announced")


def test_a_provider_that_fails_after_five_seconds_is_reported_within_ten_with_its_own_reason(tmp_path: Path) -> None:
    with paid(tmp_path, "replicate") as there:
        there.made.serve()
        began_s = time.monotonic()
        (job,) = there.made.until_ended([there.submit("a lighthouse mishap=fails seconds=5")])
        took_s = time.monotonic() - began_s
        assert job["status"] == "failed"
        assert "Model ran out of memory and was terminated (E1001)" in job["error"]["message"]
        assert took_s < 10, took_s
