"""Where a waiting job stands: a place and a time only where they can be told, and else what it waits for."""

from __future__ import annotations

from typing import Any

from safelight.services import parking
from safelight.services.gate_parking import gate_of
from safelight.services.hand_back import Return, hand_back
from safelight.services.pause import pause
from safelight.services.waiting_words import NOBODY, PARKED, PAUSED
from tests.support.by_hand import HandWorker
from tests.support.door import Door

START = "2090-01-01T00:00:00.000Z"


def look(door: Door, job_id: str) -> tuple[dict[str, Any], int]:
    """Its `queue_info`, and after how many seconds to look again."""
    answer = door.get(f"/api/jobs/{job_id}")
    return answer.json()["queue_info"], int(answer.headers["Retry-After"])


def test_a_job_in_line_has_a_place_and_a_time_once_somebody_works(door: Door) -> None:
    ids = door.oldest_first([job["id"] for job in door.submit_many(30)])
    unserved, _ = look(door, ids[-1])
    assert (unserved["position"], unserved["eta_s"], unserved["waiting_for"]) == (30, None, NOBODY)
    before = door.get(f"/api/jobs/{ids[-1]}").headers["ETag"]
    worker = HandWorker(door.safelight.database, door.run)
    (first, again_s), (last, later_s) = look(door, ids[0]), look(door, ids[-1])
    assert (first["position"], first["eta_s"], first["waiting_for"], again_s) == (1, 0.0, None, 1)
    assert last["position"] == 30
    assert last["eta_s"] > 1
    assert 1 < later_s <= 30
    changed = door.get(f"/api/jobs/{ids[-1]}", headers={"If-None-Match": before})
    assert changed.status_code == 202, "that somebody works now is news, although the job has not moved"
    worker.claim()
    assert look(door, ids[0])[0] is None, "it runs"
    assert look(door, ids[1])[0]["position"] == 1


def test_a_job_out_of_line_has_no_place_and_says_what_it_waits_for(door: Door) -> None:
    HandWorker(door.safelight.database, door.run)
    later = look(door, door.submit("later", start_at=START)["id"])
    out_of_line = {"position": None, "eta_s": None, "waiting_for": None}
    assert later == ({**out_of_line, "due_at": START, "since": START}, 30)
    capped, gated = door.submit("capped")["id"], door.submit("gated")["id"]
    door._change(capped, ready=False, waiting_for=parking.capped("local"))
    door._change(gated, ready=False, waiting_for=gate_of("openai"))
    info, again_s = look(door, capped)
    assert (info["position"], info["eta_s"], info["waiting_for"], again_s) == (None, None, PARKED["user"], 5)
    assert "openai to take calls again" in look(door, gated)[0]["waiting_for"]
    waiting = door.submit("waiting")["id"]
    assert door.run(door.safelight.database.write(pause, "image", None))
    info, _ = look(door, waiting)
    assert (info["position"], info["eta_s"], info["waiting_for"]) == (1, None, PAUSED)


def test_a_wait_counts_from_when_a_job_could_be_started_at_last(door: Door) -> None:
    worker = HandWorker(door.safelight.database, door.run)
    job = door.submit()
    door.make_older(job["id"], 600)  # as one whose start time came just now
    assert look(door, job["id"])[0]["since"] == job["created_at"]

    taken = worker.claim()
    assert door.run(door.safelight.database.write(hand_back, Return(taken.number, taken.fence, "Busy.", 300.0, True)))
    info = look(door, job["id"])[0]
    assert info["since"] == info["due_at"] > job["created_at"]
    (listed,) = door.get("/api/jobs").json()["jobs"]
    assert listed["queue_info"]["since"] == info["since"]

    now = door.post(f"/api/jobs/{job['id']}/retry").json()["queue_info"]
    assert job["created_at"] <= now["since"] < info["since"]
