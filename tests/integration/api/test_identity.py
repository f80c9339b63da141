"""Who calls: local mode until there is a key, then only those who show one that is valid, each for themselves."""

from __future__ import annotations

import io
import json

import pytest

from safelight.domain.clock import local_s
from safelight.services.credits import LOCAL_USER
from safelight.services.grant import Gift, adjust, grant
from safelight.store.database import Database
from safelight.testing.pictures import tiny_png
from tests.integration.api.problems import problem
from tests.support.door import Door
from tests.support.key_holders import Holder, forget_what_is_known, holder, revoke, revoked
from tests.support.sse import watching


def fund(door: Door, *users: str) -> None:
    for user in users:
        door.run(door.safelight.database.write(grant, Gift(user, 1_000, f"for-{user}")))


@pytest.mark.parametrize("credential", ["", "Bearer whatever", "Basic Zm9vOmJhcg==", "Bearer sk-safelight-nobody"])
def test_in_local_mode_any_credential_or_none_is_the_user_local(door: Door, credential: str) -> None:
    headers = {"Authorization": credential} if credential else {}
    answer = door.get("/api/credits", headers=headers)
    assert (answer.status_code, answer.json()["user_id"]) == (200, LOCAL_USER)


def test_the_first_key_ends_local_mode_in_a_server_that_runs(door: Door) -> None:
    assert door.get("/api/jobs").status_code == 200
    made = holder(door)
    refusal = problem(door.get("/api/jobs"), 401, "unauthorized")
    assert "safelight keys create" in refusal["remedy"]
    assert door.get("/api/jobs").headers["WWW-Authenticate"] == "Bearer"
    assert door.get("/api/jobs", headers=made.headers).status_code == 200


def test_a_key_that_others_made_is_noticed_within_a_second(sqlite_door: Door) -> None:
    ring = sqlite_door.safelight.keyring
    made = holder(sqlite_door)
    ring._looked_at, ring._keyed = local_s(), False
    assert sqlite_door.get("/api/jobs").status_code == 200, "what was known a moment ago"
    ring._looked_at -= 1.0
    problem(sqlite_door.get("/api/jobs"), 401, "unauthorized")
    assert sqlite_door.get("/api/jobs", headers=made.headers).status_code == 200


def test_who_shows_a_key_that_others_made_a_moment_ago_is_its_user_at_once(door: Door) -> None:
    made = holder(door)
    door.safelight.keyring._looked_at, door.safelight.keyring._keyed = local_s(), False
    assert door.get("/api/credits", headers=made.headers).json()["user_id"] == "ann"


def test_local_mode_does_not_come_back_when_the_last_key_is_revoked(door: Door) -> None:
    made = holder(door)
    revoke(door, made)
    problem(door.get("/api/jobs"), 401, "unauthorized")
    assert "revoked" in problem(door.get("/api/jobs", headers=made.headers), 401, "unauthorized")["detail"]


def test_an_expired_key_is_told_so(door: Door) -> None:
    made = holder(door, lives_s=-1.0)
    assert "expired" in problem(door.get("/api/jobs", headers=made.headers), 401, "unauthorized")["detail"]


def test_what_is_no_key_of_ours_is_refused(door: Door) -> None:
    holder(door)
    for credential in ("Bearer nonsense", "Bearer sk-safelight-" + "x" * 32, "Bearer ", "Bearer " + "x" * 5_000, "x"):
        problem(door.get("/api/jobs", headers={"Authorization": credential}), 401, "unauthorized")


def test_a_key_without_the_scope_is_refused_by_the_scope_s_name(door: Door) -> None:
    reader, worker = holder(door, scopes="read"), holder(door, scopes="jobs")
    assert "`jobs`" in problem(door.get("/api/jobs", headers=reader.headers), 403, "forbidden")["detail"]
    assert "`read`" in problem(door.get("/metrics", headers=worker.headers), 403, "forbidden")["detail"]
    assert "`admin`" in problem(door.get("/api/credits/audit", headers=worker.headers), 403, "forbidden")["detail"]
    assert door.get("/metrics", headers=reader.headers).status_code == 200


def test_asking_the_providers_takes_more_than_looking_at_them(sqlite_door: Door) -> None:
    reader = holder(sqlite_door, scopes="read")
    assert sqlite_door.get("/api/health/providers", headers=reader.headers).status_code == 200
    problem(sqlite_door.get("/api/health/providers?check=true", headers=reader.headers), 403, "forbidden")


def test_once_keys_tell_who_calls_any_name_of_the_server_will_do(sqlite_door: Door) -> None:
    problem(sqlite_door.get("/api/live", headers={"Host": "pictures.example.org"}), 403, "forbidden")
    made = holder(sqlite_door)
    headers = {"Host": "pictures.example.org", "Origin": "https://pictures.example.org", **made.headers}
    assert sqlite_door.get("/api/jobs", headers=headers).status_code == 200


def test_keys_of_the_settings_open_from_the_start(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("given")
    keys = "made-up-by-an-operator:ann:jobs+read,another-made-up-key:team:blue:jobs"
    opened = Door(folder, f"sqlite:///{folder / 'safelight.db'}", api_keys=keys)
    try:
        problem(opened.get("/api/credits"), 401, "unauthorized")
        for key, user in (("made-up-by-an-operator", "ann"), ("another-made-up-key", "team:blue")):
            answer = opened.get("/api/credits", headers={"Authorization": f"Bearer {key}"})
            assert answer.json()["user_id"] == user
        problem(opened.get("/metrics", headers={"Authorization": "Bearer another-made-up-key"}), 403, "forbidden")
    finally:
        opened.close()


def test_a_key_is_noted_as_used_once_a_minute_at_most(door: Door) -> None:
    made = holder(door)
    first = _used_at(door, made)
    assert first is not None
    forget_what_is_known(door)
    assert _used_at(door, made) == first


def _used_at(door: Door, made: Holder) -> float | None:
    """When it was used, as written down after one more use."""
    from safelight.services.api_keys import key_by_id

    async def use() -> float | None:
        await door.safelight.keyring.by_key(made.key)
        for noting in list(door.safelight.keyring._noted):
            await noting
        found, _ = await door.safelight.database.read(key_by_id, made.id)
        return found.used_at if found else None

    return door.run(use())


def test_a_key_is_looked_up_once_a_second_however_often_it_is_shown(
    sqlite_door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = holder(sqlite_door)
    reads = 0
    read = Database.read

    async def counted(self: Database, case: object, *rest: object) -> object:
        nonlocal reads
        reads += getattr(case, "__name__", "") == "key_by_hash"
        return await read(self, case, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Database, "read", counted)
    for _ in range(20):
        assert sqlite_door.get("/api/live", headers=made.headers).status_code == 200
        sqlite_door.get("/api/models", headers=made.headers)
    assert reads <= 2


def test_no_key_gets_into_the_log(door: Door, logs: io.StringIO) -> None:
    made, gone = holder(door), revoked(door)
    for each in (made, gone):
        door.get("/api/jobs", headers=each.headers)
        door.post("/api/jobs", headers=each.headers, json={"kind": "image", "prompt": "x", "labels": {"a": each.key}})
        door.get(f"/api/jobs/{each.key}", headers=each.headers)
    lines = [json.loads(line) for line in logs.getvalue().splitlines()]
    assert any(line["event"] == "request" for line in lines)
    assert made.key not in logs.getvalue()
    assert gone.key not in logs.getvalue()


def test_two_users_never_meet(door: Door) -> None:
    fund(door, "ann", "bob")
    ann, bob = holder(door, "ann", "jobs"), holder(door, "bob", "jobs")
    job = door.post("/api/jobs", headers=ann.headers, json={"kind": "image", "prompt": "hers"}).json()
    assert job["user_id"] == "ann"
    at = f"/api/jobs/{job['id']}"
    for path in (at, f"{at}/events", f"{at}/deliveries", f"{at}/items"):
        problem(door.get(path, headers=bob.headers), 404, "not_found")
    for path in (f"{at}/cancel", f"{at}/retry"):
        problem(door.post(path, headers=bob.headers), 404, "not_found")
    problem(door.post(f"{at}/replay", headers=bob.headers, json={"mode": "rerun"}), 404, "not_found")
    assert door.get("/api/jobs", headers=bob.headers).json()["jobs"] == []
    assert [each["id"] for each in door.get("/api/jobs", headers=ann.headers).json()["jobs"]] == [job["id"]]
    assert door.get("/api/credits", headers=bob.headers).json()["held"] == 0


def test_going_before_others_takes_the_scope_admin(door: Door) -> None:
    fund(door, "ann")
    plain, admin = holder(door, "ann", "jobs"), holder(door, "ann", "jobs+admin")
    first = {"kind": "image", "prompt": "x", "priority": 1}
    batch = {"kind": "batch", "items": [{"prompt": "a"}, {"prompt": "b", "priority": 3}]}
    for body in (first, batch):
        refusal = problem(door.post("/api/jobs", headers=plain.headers, json=body), 403, "forbidden")
        assert "`admin`" in refusal["detail"]
        problem(door.post("/api/jobs?dry_run=true", headers=plain.headers, json=body), 403, "forbidden")
        assert door.post("/api/jobs", headers=admin.headers, json=body).status_code == 202
    assert door.post("/api/jobs", headers=plain.headers, json={**first, "priority": -5}).status_code == 202


def test_what_went_first_once_stands_in_line_when_a_plain_key_asks_for_it_again(door: Door) -> None:
    fund(door, "ann")
    plain, admin = holder(door, "ann", "jobs"), holder(door, "ann", "jobs+admin")
    job = door.post("/api/jobs", headers=admin.headers, json={"kind": "image", "prompt": "x", "priority": 4}).json()
    door.post(f"/api/jobs/{job['id']}/cancel", headers=plain.headers)
    replay = {"path": f"/api/jobs/{job['id']}/replay", "json": {"mode": "rerun"}}
    assert door.post(**replay, headers=plain.headers).json()["priority"] == 0
    assert door.post(**replay, headers=admin.headers).json()["priority"] == 4


def test_only_local_mode_fills_up_credits(door: Door) -> None:
    plenty = door.get("/api/credits").json()["balance"]
    holder(door)
    door.run(door.safelight.database.write(adjust, Gift("local", 10 - plenty, "spent")))
    local = holder(door, "local")
    with door.working():
        door.run(door.safelight.refill())
        assert door.get("/api/credits", headers=local.headers).json()["balance"] == 10


def test_an_admin_looks_at_everybody_s_jobs_and_stops_them(door: Door) -> None:
    fund(door, "ann")
    ann, admin, bob = holder(door, "ann", "jobs"), holder(door, "root", "jobs+admin"), holder(door, "bob", "jobs")
    job = door.post("/api/jobs", headers=ann.headers, json={"kind": "image", "prompt": "hers"}).json()
    at = f"/api/jobs/{job['id']}"
    assert door.get(at, headers=admin.headers).json()["user_id"] == "ann"
    assert door.get("/api/jobs", headers=admin.headers).json()["jobs"] == []
    listed = door.get("/api/jobs?user=ann", headers=admin.headers).json()["jobs"]
    assert [each["id"] for each in listed] == [job["id"]]
    assert door.get("/api/jobs?user=ann", headers=ann.headers).status_code == 200
    problem(door.get("/api/jobs?user=ann", headers=bob.headers), 403, "forbidden")
    assert door.post(f"{at}/cancel", headers=admin.headers).json()["job"]["status"] == "canceled"
    assert "canceled" in door.get(f"{at}/events", headers=admin.headers).text
    assert door.get(f"{at}/deliveries", headers=admin.headers).status_code == 200
    problem(door.post(f"{at}/replay", headers=admin.headers, json={"mode": "rerun"}), 404, "not_found")
    problem(door.get(f"/api/jobs/{job['id'][:-1]}x", headers=admin.headers), 404, "not_found")


def test_a_stream_ends_when_its_key_is_revoked(door: Door) -> None:
    fund(door, "ann")
    ann = holder(door, "ann", "jobs")
    job = door.post("/api/jobs", headers=ann.headers, json={"kind": "image", "prompt": "hers"}).json()
    with door.listening() as base, watching(base, job["id"], headers=ann.headers) as watch:
        assert watch.next().type == "snapshot"
        revoke(door, ann)
        assert watch.rest() == []


def test_other_people_s_uploads_and_files_cannot_be_started_from(door: Door) -> None:
    fund(door, "ann", "bob")
    ann, bob = holder(door, "ann", "jobs"), holder(door, "bob", "jobs")
    file = {"file": ("hers.png", tiny_png(), "image/png")}
    upload = door.post("/api/uploads", headers=ann.headers, files=file).json()["id"]
    body = {"kind": "upscale", "model": "lanczos", "inputs": [{"role": "image", "upload": upload}]}
    assert door.post("/api/jobs", headers=ann.headers, json=body).status_code == 202
    refused = door.post("/api/jobs", headers=bob.headers, json=body)
    assert refused.status_code in (404, 422)
    with door.working():
        job = door.post("/api/jobs", headers=ann.headers, json={"kind": "image", "prompt": "hers"}).json()
        door.until(job["id"], "the end")
    asset = door.get(f"/api/jobs/{job['id']}", headers=ann.headers).json()["assets"][0]["id"]
    body["inputs"] = [{"role": "image", "asset": asset}]
    assert door.post("/api/jobs", headers=bob.headers, json=body).status_code in (404, 422)
    assert door.post("/api/jobs", headers=ann.headers, json=body).status_code == 202
    problem(door.get(f"/api/assets/{asset}", headers=ann.headers), 403, "forbidden")
