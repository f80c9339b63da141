"""What a piece of news changes in what is shown."""

from __future__ import annotations

from safelight.cli.watching import View, advance
from safelight.client import Event


def news(type_: str, **payload: object) -> Event:
    return Event(type_, "id", 1, "2026-01-02T03:04:05.000Z", payload)


def test_progress_moves_the_bar() -> None:
    view = advance(View("starting"), news("job.progress", stage="running", progress=0.4, status="processing"))
    assert view == View("running", 0.4)


def test_a_preview_leaves_the_stage_as_it_was() -> None:
    assert advance(View("running", 0.4), news("job.preview", progress=0.5)) == View("running", 0.5)


def test_a_job_that_is_tried_again_starts_over_and_says_why() -> None:
    view = advance(View("running", 0.9), news("job.retrying", reason="Too many requests.\nLater."))
    assert view == View("queued", 0.0, "Too many requests. Later.")


def test_a_waiting_job_shows_its_place_or_what_it_waits_for() -> None:
    place = {"position": 3, "waiting_for": None}
    assert advance(View(), news("snapshot", stage="queued", progress=0.0, queue_info=place)).note == "3. in the queue"
    gate = {"position": None, "waiting_for": "openai"}
    assert advance(View(), news("snapshot", stage="queued", queue_info=gate)).note == "waits for openai"


def test_the_note_goes_when_the_job_starts() -> None:
    assert advance(View(note="3. in the queue"), news("job.started", attempt=1)) == View("starting")


def test_a_cancel_request_is_noted_beside_the_progress() -> None:
    assert advance(View("running", 0.4), news("job.cancel_requested")) == View("running", 0.4, "cancel requested")
