"""A dry run: checked like a submit, priced and predicted, and nothing of it remains."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from safelight.services.caps import Caps
from safelight.services.closing_time import begin
from safelight.services.grant import Gift, adjust
from safelight.services.pause import pause
from safelight.services.prepare import Caller, JobRequest
from safelight.services.quote import Quotes
from safelight.services.waiting_words import NOBODY, PARKED, PAUSED
from safelight.store import tables
from safelight.store.statements import Query
from tests.support.by_hand import HandWorker
from tests.support.door import Door

PICTURE = {"kind": "image", "prompt": "a lighthouse", "params": {"width": 256, "height": 256}}
ROUTES: dict[str, dict[str, Any]] = {
    "/api/jobs": PICTURE,
    "/api/jobs/image-generation": {"prompt": "a boat", "options": {"n": 2}},
    "/api/jobs/video-generation": {"prompt": "waves"},
    "/api/jobs/text-generation": {"prompt": "a poem"},
    "/api/jobs/image-upscale": {"imageUrl": "data:image/png;base64,eA==", "model": "lanczos"},
    "/api/jobs/batch-generation": {"prompts": ["a", "b"], "batchSize": 2},
}
GROWING = ("jobs", "events", "ledger", "idempotency_keys", "labels", "uploads", "fair_tags", "calls", "deliveries")


def rehearse(door: Door, body: dict[str, Any] | None = None, path: str = "/api/jobs", **query: Any) -> dict[str, Any]:
    answer = door.post(path, params={"dry_run": "true", **query}, json=PICTURE if body is None else body)
    assert answer.status_code == 200, answer.text
    quote: dict[str, Any] = answer.json()
    return quote


def rows(door: Door) -> dict[str, int]:
    """How many rows there are, by table."""

    def count(tx: Any) -> dict[str, int]:
        found = {}
        for name in GROWING:
            table = tables.metadata.tables[name]
            found[name] = tx.all(Query(sa.select(sa.func.count()).select_from(table), _Count))[0][0]
        return found

    return door.run(door.safelight.database.read(count))


class _Count(NamedTuple):
    n: int


@pytest.mark.parametrize("path", ROUTES)
def test_every_route_that_makes_jobs_prices_and_predicts_and_leaves_nothing(door: Door, path: str) -> None:
    HandWorker(door.safelight.database, door.run)
    before = rows(door)
    quote = rehearse(door, ROUTES[path], path)
    assert rows(door) == before
    assert door.get("/api/jobs").json()["jobs"] == []
    real = door.post(path, json=ROUTES[path]) if "upscale" not in path else None
    if real is not None:
        body = real.json()
        assert (quote["price_credits"], quote["affordable"]) == (body["credits"]["held"], True)
        assert (quote["kind"], quote["model"]) == (body["kind"], body["model"])
        assert quote["params"].keys() == body["params"].keys()


def test_a_key_is_not_taken_by_a_dry_run(door: Door) -> None:
    headers = {"Idempotency-Key": "once"}
    answer = door.post("/api/jobs?dry_run=true", json=PICTURE, headers=headers)
    assert answer.status_code == 200
    real = door.post("/api/jobs", json={**PICTURE, "prompt": "something else"}, headers=headers)
    assert (real.status_code, "Idempotency-Replayed" in real.headers) == (202, False)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**PICTURE, "params": {"width": 1}}, "params.width"),
        ({**PICTURE, "prompt": ""}, "prompt"),
        ({**PICTURE, "callback": {"url": "http://127.0.0.1/hook"}}, "callback.url"),
        ({**PICTURE, "model": "lanczos", "kind": "upscale", "inputs": [{"upload": "no-such"}]}, "inputs[0].upload"),
        ({"kind": "upscale", "model": "lanczos", "inputs": [{"url": "http://10.0.0.1/a.png"}]}, "inputs[0].url"),
        ({"kind": "batch", "items": [{"prompt": "a"}, {"prompt": ""}]}, "items[1].prompt"),
    ],
)
def test_a_dry_run_is_refused_as_the_submit_would_be(sqlite_door: Door, body: dict[str, Any], field: str) -> None:
    for query in ({}, {"dry_run": "true"}):
        answer = sqlite_door.post("/api/jobs", json=body, params=query)
        assert answer.status_code == 422, answer.text
        assert field in answer.json()["errors"]


def test_what_is_too_dear_is_told_and_not_refused(door: Door) -> None:
    account = door.get("/api/credits").json()
    door.run(door.safelight.database.write(adjust, Gift("local", -account["balance"], "all of it")))
    quote = rehearse(door)
    assert (quote["affordable"], quote["price_credits"] > 0) == (False, True)
    assert door.post("/api/jobs", json=PICTURE).status_code == 402


def test_pictures_that_would_be_fetched_are_not_and_it_is_said(sqlite_door: Door) -> None:
    body = {"kind": "upscale", "model": "lanczos", "inputs": [{"url": "https://nowhere.invalid/a.png"}]}
    assert [warning["code"] for warning in rehearse(sqlite_door, body)["warnings"]] == ["inputs_not_fetched"]


def test_a_dry_run_is_refused_while_no_new_jobs_are_taken(sqlite_door: Door) -> None:
    sqlite_door.run(sqlite_door.safelight.database.write(begin, "Closed until noon."))
    for query in ({}, {"dry_run": "true"}):
        answer = sqlite_door.post("/api/jobs", json=PICTURE, params=query)
        assert (answer.status_code, answer.json()["detail"]) == (503, "Closed until noon.")


def test_warnings_of_the_submit_are_those_of_the_dry_run(sqlite_door: Door) -> None:
    assert [warning["code"] for warning in rehearse(sqlite_door, {**PICTURE, "deadline": 1})["warnings"]] == [
        "deadline_raised"
    ]


def test_what_cannot_be_predicted_is_null_and_the_reason_is_told(door: Door) -> None:
    unknown = dict.fromkeys(("start_at", "finish_at", "low", "high"))
    assert rehearse(door)["predicted"] == {**unknown, "waiting_for": NOBODY}
    HandWorker(door.safelight.database, door.run)
    assert rehearse(door)["predicted"]["start_at"] is not None
    video = {"kind": "video", "prompt": "waves"}
    assert rehearse(door, video)["predicted"] == {**unknown, "waiting_for": NOBODY}
    door.submit()
    assert door.run(door.safelight.database.write(pause, "image", None))
    assert rehearse(door)["predicted"] == {**unknown, "waiting_for": PAUSED}


def test_a_capped_user_waits_for_their_own_jobs(door: Door) -> None:
    worker = HandWorker(door.safelight.database, door.run)
    door.submit()
    worker.claim()
    quotes = Quotes(door.safelight.desk, Caps(1))
    quote = door.run(quotes.quote(JobRequest("image", "a boat"), Caller("local")))
    assert (quote["predicted"]["start_at"], quote["predicted"]["waiting_for"]) == (None, PARKED["user"])


def test_jobs_before_it_put_it_off_and_a_later_start_is_kept(door: Door) -> None:
    HandWorker(door.safelight.database, door.run)
    alone = rehearse(door)["predicted"]
    door.submit_many(40)
    behind = rehearse(door)["predicted"]
    assert _s(alone, "start_at") < _s(alone, "finish_at") <= _s(alone, "high")
    assert alone["low"] == alone["finish_at"]
    assert _s(behind, "start_at") > _s(alone, "start_at") + 2
    assert _s(behind, "low") < _s(behind, "finish_at") - 2
    later = rehearse(door, {**PICTURE, "start_at": "2090-01-01T00:00:00Z"})["predicted"]
    assert later["start_at"] == "2090-01-01T00:00:00.000Z"


def _s(predicted: dict[str, Any], name: str) -> float:
    return datetime.fromisoformat(predicted[name]).timestamp()
