"""What a parked job waits for, as its user is told."""

from __future__ import annotations

from safelight.services.job_body import waits_for
from safelight.services.parking import capped, reserved


def test_every_reason_has_words_that_name_nobody() -> None:
    said = [waits_for(reason) for reason in (capped("ann:smith"), reserved("0196-worker"))]
    assert said == ["one of your running jobs to end", "a worker that has nothing else to do"]
    assert waits_for(None) is None
