"""The list of jobs: newest first, whole however it is paged, filtered by what was asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from safelight.services.job_pages import PageRequest
from tests.support.by_hand import HandWorker
from tests.support.door import Door


def pages(door: Door, **query: Any) -> list[list[str]]:
    """The ids of every page, to the end."""
    found = []
    cursor = None
    while True:
        page = door.get("/api/jobs", params={**query, **({"cursor": cursor} if cursor else {})}).json()
        found.append([job["id"] for job in page["jobs"]])
        cursor = page["nextCursor"]
        if cursor is None:
            return found


def listed(door: Door, **query: Any) -> list[str]:
    return [job_id for page in pages(door, **query) for job_id in page]


def test_an_empty_list_is_a_list(door: Door) -> None:
    assert door.get("/api/jobs").json() == {"jobs": [], "nextCursor": None}


def test_120_jobs_are_listed_once_each_newest_first_however_they_are_paged(door: Door) -> None:
    ids = [job["id"] for job in door.submit_many(120)]
    newest_first = door.oldest_first(ids)[::-1]
    assert [len(page) for page in pages(door)] == [50, 50, 20]
    assert [len(page) for page in pages(door, limit=60)] == [60, 60]
    for limit in (7, 50, 60, 119, 120, 200):
        assert listed(door, limit=limit) == newest_first


def test_new_jobs_while_somebody_pages_neither_repeat_nor_hide_an_old_one(door: Door) -> None:
    before = {job["id"] for job in door.submit_many(120)}
    seen: list[str] = []
    cursor = ""
    while True:
        page = door.get("/api/jobs", params={"limit": 25, "cursor": cursor}).json()
        seen += [job["id"] for job in page["jobs"]]
        door.submit_many(3)
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert len(seen) == 120
    assert set(seen) == before


def test_an_old_waiting_job_stays_in_the_list(door: Door) -> None:
    old = door.submit()["id"]
    door.submit_many(60)
    assert listed(door)[-1] == old


def test_a_list_can_be_narrowed_by_status_kind_model_and_time(door: Door) -> None:
    worker = HandWorker(door.safelight.database, door.run)
    done, failed, running, waiting, canceled = (door.submit(f"job {n}")["id"] for n in range(5))
    worker.complete(worker.claim())
    worker.fail(worker.claim())
    worker.claim()
    door.post(f"/api/jobs/{canceled}/cancel")
    by_status = {"completed": done, "failed": failed, "processing": running, "pending": waiting, "canceled": canceled}
    for status, job_id in by_status.items():
        assert listed(door, status=status) == [job_id]
    assert listed(door, status="partial") == []
    everything = [canceled, waiting, running, failed, done]
    assert listed(door, kind="image", model="procedural") == everything
    assert listed(door, kind="video") == listed(door, model="procedura") == []
    now = datetime.now(UTC)
    assert listed(door, since=(now - timedelta(minutes=5)).isoformat()) == everything
    assert listed(door, since=(now + timedelta(minutes=5)).isoformat()) == []
    assert listed(door, since="2020-01-01T00:00:00+05:30", status="failed", limit=1) == [failed]


def test_a_list_since_a_time_ends_there_and_misses_no_job_whose_number_is_out_of_order(door: Door) -> None:
    newest_first = [door.submit(f"job {n}")["id"] for n in range(6)][::-1]
    for job_id, age_s in zip(newest_first, (10, 70, 20, 90_000, 90_000, 90_000), strict=True):
        door.make_older(job_id, age_s)
    since = (datetime.now(UTC) - timedelta(seconds=60)).isoformat()
    recent = [newest_first[0], newest_first[2]]
    assert pages(door, since=since, limit=4) == [recent]
    assert listed(door, since=since, limit=1) == listed(door, since=since) == recent


def test_jobs_are_found_by_all_the_labels_asked_for_newest_first_on_every_page(door: Door) -> None:
    chapter = [door.submit(f"scene {n}", labels={"chapter": "7", "scene": str(n % 3)})["id"] for n in range(6)][::-1]
    door.submit("another chapter", labels={"chapter": "8", "scene": "1"})
    door.submit("a label of that value", labels={"scene": "7"})
    door.submit("none")
    assert listed(door, **{"label.chapter": "7"}) == listed(door, limit=2, **{"label.chapter": "7"}) == chapter
    scene = {"label.chapter": "7", "label.scene": "1"}
    assert listed(door, **scene) == listed(door, limit=1, **dict(reversed(scene.items()))) == [chapter[1], chapter[4]]
    door.post(f"/api/jobs/{chapter[1]}/cancel")
    assert listed(door, **scene, status="canceled") == [chapter[1]]
    assert listed(door, **scene, status="canceled", kind="video") == listed(door, **{"label.chapter": ""}) == []


def test_labels_find_neither_items_of_batches_nor_jobs_of_others(door: Door) -> None:
    body = {"kind": "batch", "prompts": ["a", "b"], "labels": {"shelf": "x"}}
    batch = door.post("/api/jobs", json=body).json()["id"]
    assert listed(door, **{"label.shelf": "x"}) == [batch]
    assert len(listed(door, parent=batch, **{"label.shelf": "x"})) == 2
    assert door.run(door.safelight.desk.jobs(PageRequest("somebody", 50, labels=(("shelf", "x"),)))) == ([], None)


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ("label.A-B=1", "label.A-B", "a key is 1-64 characters of a-z, 0-9 and _"),
        ("label.=1", "label.", "a key is 1-64"),
        ("label.a=1&label.a=2", "label.a", "twice"),
        ("label.a=" + "x" * 257, "label.a", "longer than 256"),
        ("&".join(f"label.a{n}=1" for n in range(17)), "labels", "at most 16, got 17"),
        ("label=1", "label", "is not a parameter of this call"),
    ],
)
def test_what_cannot_be_a_label_is_refused(sqlite_door: Door, query: str, field: str, says: str) -> None:
    answer = sqlite_door.get(f"/api/jobs?{query}")
    assert answer.status_code == 422
    assert says in answer.json()["errors"][field][0]
    elsewhere = sqlite_door.get("/api/models?label.a=1")
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (422, "invalid_params")


def test_a_filter_holds_on_every_page(door: Door) -> None:
    ids = [job["id"] for job in door.submit_many(12)]
    for job_id in ids[::2]:
        door.post(f"/api/jobs/{job_id}/cancel")
    assert sorted(listed(door, status="canceled", limit=4)) == sorted(ids[::2])


def test_jobs_in_a_list_carry_all_they_carry_alone_but_their_place_in_line(door: Door) -> None:
    alone = door.submit(labels={"a": "b"})
    (in_list,) = door.get("/api/jobs").json()["jobs"]
    assert {**in_list, "queue_info": None} == {**alone, "queue_info": None}


@pytest.mark.parametrize("cursor", ["", None])
def test_an_empty_cursor_is_the_first_page(door: Door, cursor: str | None) -> None:
    job_id = door.submit()["id"]
    assert [job["id"] for job in door.get("/api/jobs", params={"cursor": cursor}).json()["jobs"]] == [job_id]
