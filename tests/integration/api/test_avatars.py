"""Avatars: projects, generations that are jobs, and nothing pending ever hidden."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from tests.integration.api.problems import problem
from tests.support.by_hand import HandWorker
from tests.support.door import Door
from tests.support.key_holders import holder

ROOT = "/api/avatar-creator"
NEVER = "01890000-0000-7000-8000-000000000000"
ASKED = {"prompt": "Professional business avatar, male, age 30", "name": "Test Avatar", "width": 512, "height": 512}


@pytest.fixture
def worker(door: Door) -> HandWorker:
    return HandWorker(door.safelight.database, door.run)


def project(door: Door, name: str = "Office") -> str:
    answer = door.post(f"{ROOT}/projects", json={"name": name})
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


def generate(door: Door, project_id: str, path: str = "generate", **more: Any) -> dict[str, Any]:
    answer = door.post(f"{ROOT}/projects/{project_id}/{path}", json={**ASKED, **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_projects_are_made_listed_changed_and_deleted(door: Door) -> None:
    first, second = project(door, "One"), project(door, "Two")
    listed = door.get(f"{ROOT}/projects?limit=1").json()
    assert [each["id"] for each in listed["projects"]] == [second]
    rest = door.get(f"{ROOT}/projects", params={"cursor": listed["nextCursor"]}).json()
    assert ([each["id"] for each in rest["projects"]], rest["nextCursor"]) == ([first], None)
    changed = door.request("PATCH", f"{ROOT}/projects/{first}", json={"description": "faces"}).json()
    assert (changed["name"], changed["description"]) == ("One", "faces")
    assert door.request("DELETE", f"{ROOT}/projects/{first}").status_code == 204
    problem(door.get(f"{ROOT}/projects/{first}"), 404, "not_found")
    problem(door.request("DELETE", f"{ROOT}/projects/{first}"), 404, "not_found")


@pytest.mark.parametrize("path", ["generate", "avatars/generate"])
def test_a_generation_is_a_job_with_labels(door: Door, path: str) -> None:
    project_id = project(door)
    made = generate(door, project_id, path)
    assert (
        made.items()
        >= {
            "projectId": project_id,
            "avatarId": None,
            "name": "Test Avatar",
            "status": "pending",
            "prompt": ASKED["prompt"],
            "errorMessage": None,
            "completedAt": None,
        }.items()
    )
    assert made["options"]["width"] == 512
    job = door.show(made["id"])
    assert job["labels"] == {"project_id": project_id, "avatar_name": "Test Avatar", "image_type": "avatar"}
    assert door.get(f"{ROOT}/generations/{made['id']}").json() == made


def test_a_completed_one_is_an_avatar_with_a_square_cover(door: Door) -> None:
    project_id = project(door)
    made = generate(door, project_id, width=640, height=320)
    problem(door.get(f"{ROOT}/avatars/{made['id']}"), 404, "not_found")
    with door.working():
        door.until_ended(made["id"])
    done = door.get(f"{ROOT}/generations/{made['id']}").json()
    assert (done["status"], done["avatarId"]) == ("completed", made["id"])
    avatar = door.get(f"{ROOT}/avatars/{made['id']}").json()
    cover = door.get(avatar["thumbnailUrl"])
    with Image.open(io.BytesIO(cover.content)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (300, 300))
    again = door.get(avatar["thumbnailUrl"], headers={"If-None-Match": cover.headers["ETag"]})
    assert again.status_code == 304
    problem(door.get(avatar["thumbnailUrl"].partition("?")[0]), 403, "forbidden")
    shown = door.get(f"{ROOT}/projects/{project_id}").json()
    assert ([each["id"] for each in shown["avatars"]], shown["generations"]) == ([made["id"]], [])


def test_what_failed_or_was_canceled_is_shown_with_its_refund(door: Door, worker: HandWorker) -> None:
    project_id = project(door)
    failed, canceled = generate(door, project_id), generate(door, project_id, name="Other")
    worker.fail(worker.claim())
    door.post(f"/api/jobs/{canceled['id']}/cancel")
    shown = {each["id"]: each for each in door.get(f"{ROOT}/projects/{project_id}").json()["generations"]}
    assert [shown[each["id"]]["status"] for each in (failed, canceled)] == ["failed", "failed"]
    assert [shown[each["id"]]["errorMessage"] for each in (failed, canceled)] == ["No.", "canceled"]
    for each in shown.values():
        assert each["credits"]["held"] == 0
        assert each["credits"]["released"] > 0


def test_old_unfinished_ones_are_on_the_first_page(door: Door, worker: HandWorker) -> None:
    project_id = project(door)
    old = generate(door, project_id)["id"]
    newer = [generate(door, project_id)["id"] for _ in range(4)]
    for job_id in newer:
        door.post(f"/api/jobs/{job_id}/cancel")
    page = door.get(f"{ROOT}/projects/{project_id}?limit=2").json()
    assert [each["id"] for each in page["generations"]] == [newer[3], newer[2], old]
    assert page["nextCursor"]


def test_a_project_with_unfinished_ones_stays_and_loses_none_of_its_jobs(door: Door) -> None:
    project_id = project(door)
    made = generate(door, project_id)
    problem(door.request("DELETE", f"{ROOT}/projects/{project_id}"), 409, "conflict")
    door.post(f"/api/jobs/{made['id']}/cancel")
    assert door.request("DELETE", f"{ROOT}/projects/{project_id}").status_code == 204
    assert door.show(made["id"])["status"] == "canceled"


def test_the_same_key_makes_one(door: Door) -> None:
    project_id = project(door)
    answers = [
        door.post(f"{ROOT}/projects/{project_id}/generate", json=ASKED, headers={"Idempotency-Key": "k"}) for _ in "ab"
    ]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert answers[1].headers["Idempotency-Replayed"] == "true"


def test_what_others_have_is_not_there(sqlite_door: Door) -> None:
    ann, bob = holder(sqlite_door, "ann"), holder(sqlite_door, "bob")
    grant = {"user_id": "ann", "amount": 100}
    sqlite_door.post("/api/credits/grant", json=grant, headers={**ann.headers, "Idempotency-Key": "g"})
    theirs = sqlite_door.post(f"{ROOT}/projects", json={"name": "Ann's"}, headers=ann.headers).json()["id"]
    path = f"{ROOT}/projects/{theirs}"
    made = sqlite_door.post(f"{path}/generate", json=ASKED, headers=ann.headers).json()["id"]
    for method, where in [
        ("GET", path),
        ("PATCH", path),
        ("DELETE", path),
        ("POST", f"{path}/generate"),
        ("GET", f"{ROOT}/generations/{made}"),
        ("GET", f"{ROOT}/avatars/{made}"),
    ]:
        options = {"json": ASKED if method == "POST" else {"name": "mine"}} if method in ("POST", "PATCH") else {}
        problem(sqlite_door.request(method, where, headers=bob.headers, **options), 404, "not_found")
    assert sqlite_door.get(f"{ROOT}/projects", headers=bob.headers).json()["projects"] == []


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": " "}, {"name": "x" * 201}, {"name": "x", "colour": "red"}])
def test_a_project_without_a_proper_name_is_refused(sqlite_door: Door, body: dict[str, Any]) -> None:
    assert sqlite_door.post(f"{ROOT}/projects", json=body).status_code == 422


def test_ordinary_jobs_are_no_generations(sqlite_door: Door) -> None:
    job_id = sqlite_door.submit(labels={"note": '"image_type":"avatar"'})["id"]
    problem(sqlite_door.get(f"{ROOT}/generations/{job_id}"), 404, "not_found")
    problem(sqlite_door.get(f"{ROOT}/generations/{NEVER}"), 404, "not_found")
