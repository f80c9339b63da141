"""What a piece of news changes in what is shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from safelight.cli import watching
from safelight.cli.watching import View, advance, watch
from safelight.client import Client, Event


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


def test_a_job_that_is_parked_while_it_is_watched_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Parked:
        """No event tells of it: only the job's body does."""

        def __init__(self) -> None:
            self.asked = asyncio.Event()

        async def events(self, job_id: str) -> AsyncIterator[Event]:
            yield news("snapshot", stage="queued", progress=0.0, queue_info={"position": 1, "waiting_for": None})
            await asyncio.wait_for(self.asked.wait(), 10)

        async def job(self, job_id: str) -> dict[str, Any]:
            asyncio.get_running_loop().call_soon(self.asked.set)
            return {"queue_info": {"position": None, "waiting_for": "its provider to take calls again"}}

    async def watched() -> None:
        await watch(cast(Client, Parked()), "a")

    monkeypatch.setattr(watching, "LOOK_AGAIN_S", 0.01)
    asyncio.run(watched())
    said = capsys.readouterr().err
    assert said.splitlines() == ["queued: 1. in the queue", "queued: waits for its provider to take calls again"]
