"""Announcements of providers: signed addresses, bodies that are read and not trusted, calls that have a name again."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import httpx
import pytest
import sqlalchemy as sa

from safelight.domain.ids import new_id
from safelight.providers.callbacks import callback_url
from safelight.providers.replicate.provider import ReplicateProvider
from safelight.services import calls
from safelight.services.calls import CallOutcome, Sending
from safelight.services.claimable import ClaimedJob
from safelight.store import tables
from safelight.store.statements import Query
from tests.support.by_hand import HandWorker
from tests.support.door import Door

NAME = "gm3qorzdhgbfurvjtvhg6dckhu"
ANNOUNCED = {"id": NAME, "status": "processing", "output": None}


@pytest.fixture
def heard(shared_door: Door) -> Door:
    """An installation that knows Replicate. The key is nobody's, and nothing is asked there."""
    known = shared_door.safelight.providers
    shared_door.safelight.providers = {**known, "replicate": ReplicateProvider("r8_nobody")}
    return shared_door


class Row(NamedTuple):
    state: str
    remote_id: str | None


_CALL = Query(
    sa.select(tables.calls.c.state, tables.calls.c.remote_id).where(tables.calls.c.id == sa.bindparam("id")), Row
)


def look(door: Door, call_id: str) -> Row:
    row: Row = door.run(door.safelight.database.read(lambda tx: tx.one(_CALL, id=call_id)))
    return row


def lost_call(door: Door) -> tuple[str, str]:
    """A job and its call, whose answer was lost: nobody knows whether it was accepted."""
    job, call_id, _ = _lost(door)
    return job.id, call_id


def _lost(door: Door) -> tuple[ClaimedJob, str, HandWorker]:
    database, worker = door.safelight.database, HandWorker(door.safelight.database, door.run)
    door.submit()
    job, call_id = worker.claim(), new_id()
    sent = Sending(call_id, job.number, job.fence, 1, "replicate", "m", False, worker.id)
    assert door.run(database.write(calls.sending, sent))
    assert door.run(database.write(calls.end_call, CallOutcome(call_id, "unknown", error="cut")))
    return job, call_id, worker


def announce(door: Door, call_id: str, body: Any = ANNOUNCED, *, provider: str = "replicate") -> httpx.Response:
    return door.post(callback_url(door.safelight.secret, "", provider, call_id), json=body)


def test_an_announcement_brings_the_name_of_a_call_whose_answer_was_lost_and_ends_no_job(heard: Door) -> None:
    job_id, call_id = lost_call(heard)
    answer = announce(
        heard, call_id, {**ANNOUNCED, "status": "succeeded", "output": ["https://replicate.delivery/x.png"]}
    )
    assert (answer.status_code, answer.json()) == (200, {"heard": True})
    assert look(heard, call_id) == ("accepted", NAME)
    assert heard.show(job_id)["status"] == "processing"


def test_one_that_is_repeated_changes_nothing(heard: Door) -> None:
    _, call_id = lost_call(heard)
    assert [announce(heard, call_id).status_code for _ in range(3)] == [200, 200, 200]
    assert look(heard, call_id) == ("accepted", NAME)


def test_one_that_names_another_call_of_the_provider_does_not_replace_the_first(heard: Door) -> None:
    _, call_id = lost_call(heard)
    announce(heard, call_id)
    announce(heard, call_id, {**ANNOUNCED, "id": "another"})
    assert look(heard, call_id) == ("accepted", NAME)


@pytest.mark.parametrize("query", ["", "?sig=", "?sig=AAAA", "?sig=%00", "?sig=" + "A" * 200])
def test_without_its_own_signature_an_address_is_nobodys(heard: Door, query: str) -> None:
    _, call_id = lost_call(heard)
    answer = heard.post(f"/api/callbacks/replicate/{call_id}{query}", json=ANNOUNCED)
    assert answer.status_code in (400, 401, 422)
    assert look(heard, call_id).state == "unknown"


def test_the_signature_of_another_call_opens_nothing(heard: Door) -> None:
    _, call_id = lost_call(heard)
    foreign = callback_url(heard.safelight.secret, "", "replicate", new_id()).partition("?")[2]
    answer = heard.post(f"/api/callbacks/replicate/{call_id}?{foreign}", json=ANNOUNCED)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


def test_a_call_that_is_not_there_is_not_found(heard: Door) -> None:
    assert announce(heard, new_id()).status_code == 404
    assert announce(heard, "../jobs").status_code == 404


@pytest.mark.parametrize("provider", ["procedural", "nobody"])
def test_a_provider_that_announces_nothing_is_not_found(heard: Door, provider: str) -> None:
    _, call_id = lost_call(heard)
    assert announce(heard, call_id, provider=provider).status_code == 404


@pytest.mark.parametrize("body", [{}, [], None, "text", {"id": NAME}, {"id": 7, "status": "processing"}])
def test_a_body_that_is_no_announcement_is_refused(heard: Door, body: Any) -> None:
    _, call_id = lost_call(heard)
    assert announce(heard, call_id, body).status_code == 400
    assert look(heard, call_id).state == "unknown"


def test_a_body_that_is_too_large_is_refused_unread(heard: Door) -> None:
    _, call_id = lost_call(heard)
    large = json.dumps({**ANNOUNCED, "input": {"image": "x" * 1_100_000}}).encode()
    url = callback_url(heard.safelight.secret, "", "replicate", call_id)
    assert heard.post(url, content=large, headers={"content-type": "application/json"}).status_code == 413


def test_an_announcement_of_a_job_that_has_ended_is_taken_for_whoever_looks_after_its_call(heard: Door) -> None:
    job, call_id, worker = _lost(heard)
    worker.fail(job)
    assert announce(heard, call_id).status_code == 200
    assert look(heard, call_id) == ("accepted", NAME)
