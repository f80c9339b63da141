"""Health, models, and the description of the whole: what machines ask before they ask for pictures."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from safelight import __version__
from safelight.domain.errors import Remedy, Unavailable
from safelight.domain.ids import is_id
from safelight.services import presence
from safelight.services.outlook import Lookout
from tests.integration.api.problems import FIELDS
from tests.support.door import Door

ROUTES = {
    ("/api/jobs", "get"),
    ("/api/jobs", "post"),
    ("/api/jobs/image-generation", "post"),
    ("/api/jobs/{job_id}", "get"),
    ("/api/jobs/{job_id}/cancel", "post"),
    ("/api/jobs/{job_id}/events", "get"),
    ("/api/assets/{asset_id}", "get"),
    ("/api/assets/{asset_id}/thumbnail", "get"),
    ("/api/models", "get"),
    ("/api/live", "get"),
    ("/api/ready", "get"),
    ("/api/health", "get"),
    ("/api/health/workers", "get"),
}


@pytest.mark.parametrize("path", ["/api/live", "/api/health/live"])
def test_a_process_that_answers_is_alive(shared_door: Door, path: str) -> None:
    answer = shared_door.get(path)
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


@pytest.mark.parametrize("path", ["/api/ready", "/api/health/ready"])
def test_a_server_without_slots_is_ready_without_a_worker_but_says_that_jobs_wait(door: Door, path: str) -> None:
    answer = door.get(path)
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert not answer.json()["checks"]["worker"]["ok"]
    idle = door.get("/api/health").json()
    assert (idle["status"], [f["severity"] for f in idle["findings"]]) == ("healthy", ["info"])
    door.submit()
    health = door.get("/api/health")
    assert (health.status_code, health.json()["status"]) == (200, "unhealthy")
    assert "safelight worker" in json.dumps(health.json()["findings"])


def test_without_a_worker_it_is_told_how_many_jobs_wait_and_what_they_hold(door: Door) -> None:
    def affected() -> dict[str, int]:
        (finding, *_) = door.get("/api/health").json()["findings"]
        assert finding["code"] == "NO_WORKER_FOR_QUEUE"
        found: dict[str, int] = finding["affects"]
        return found

    assert affected() == {"jobs": 0, "credits": 0}
    job, _, gone = door.submit(params={"n": 3}), door.submit(start_at="2090-01-01T00:00:00Z"), door.submit()
    door.post(f"/api/jobs/{gone['id']}/cancel")
    assert affected() == {"jobs": 1, "credits": job["credits"]["held"]}, "one that is due later waits for its time"


def test_a_folder_that_is_gone_is_told_by_its_name_and_is_no_full_disk(sqlite_door: Door) -> None:
    root = sqlite_door.safelight.store.root
    assert root is not None
    sqlite_door.submit()
    shutil.rmtree(root)
    findings = {finding["code"]: finding for finding in sqlite_door.get("/api/health").json()["findings"]}
    assert findings.keys() == {"STORAGE_DENIED", "NO_WORKER_FOR_QUEUE", "SWEEPER_DEAD"}
    assert findings["SWEEPER_DEAD"]["because_of"] == "NO_WORKER_FOR_QUEUE"
    assert str(root) in findings["STORAGE_DENIED"]["symptom"]
    assert findings["STORAGE_DENIED"]["affects"] == {"jobs": 0, "credits": 0}


def test_a_server_whose_own_worker_is_lost_is_not_ready(door: Door) -> None:
    with door.working():
        assert door.safelight.presence is not None
        door.run(door.safelight.database.write(presence.depart, door.safelight.presence.id))
        answer = door.get("/api/ready")
        assert (answer.status_code, answer.json()["status"]) == (503, "unhealthy")
        checks = answer.json()["checks"]
        assert {name: check["ok"] for name, check in checks.items()} == {
            "database": True,
            "storage": True,
            "worker": False,
        }


def test_a_database_that_cannot_be_written_makes_it_not_ready_and_is_told_with_its_reason(door: Door) -> None:
    assert door.get("/api/ready").status_code == 200
    door.safelight.database.trouble = Unavailable("The disk of the database is full.", remedy=Remedy("Make room."))
    answer = door.get("/api/ready")
    assert (answer.status_code, answer.json()["checks"]["database"]["ok"]) == (503, False)
    assert answer.json()["checks"]["database"]["found"] == "The disk of the database is full."
    findings = door.get("/api/health").json()["findings"]
    assert ("DATABASE_UNREACHABLE", "The disk of the database is full.") in [
        (f["code"], f["symptom"]) for f in findings
    ]
    door.submit()
    assert door.get("/api/ready").status_code == 200, "a commit shows that it can be written again"


def test_with_a_worker_it_is_ready_and_healthy(door: Door) -> None:
    with door.working():
        ready, health, workers = (door.get(f"/api/{path}") for path in ("ready", "health", "health/workers"))
        assert (ready.status_code, ready.json()["status"]) == (200, "ok")
        assert all(check["ok"] for check in ready.json()["checks"].values())
        assert (health.json()["status"], health.json()["findings"]) == ("healthy", [])
        assert health.json()["version"] == __version__
        assert health.json()["uptime_s"] >= 0
        (worker,) = workers.json()
        assert is_id(worker["worker"])
        assert (worker["role"], worker["status"], worker["slots"]) == ("api+worker", "online", 4)
        assert worker["queues"] == ["image", "text", "upscale", "video"]
        assert "procedural" in worker["providers"]
    assert door.get("/api/ready").status_code == 503
    assert door.get("/api/health/workers").json() == []


def test_every_model_says_what_it_takes_costs_and_whether_it_can_be_used(shared_door: Door) -> None:
    models = shared_door.get("/api/models").json()["models"]
    assert models
    for model in models:
        assert model.keys() >= {"id", "kind", "parameters", "price_credits", "typical_s", "available", "shutdown_date"}
        jsonschema.Draft202012Validator.check_schema(model["parameters"])
    (procedural,) = [model for model in models if model["id"] == "procedural"]
    assert (procedural["available"], procedural["ai_generated"], procedural["default"]) == (True, False, True)


def test_whatever_a_models_schema_allows_is_accepted(shared_door: Door) -> None:
    models = shared_door.get("/api/models").json()["models"]
    (model,) = [model for model in models if model["id"] == "procedural"]
    for name, schema in model["parameters"]["properties"].items():
        for value in schema.get("enum", [schema.get("minimum"), schema.get("maximum")]):
            body = {"kind": model["kind"], "model": model["id"], "prompt": "x", "params": {name: value}}
            answer = shared_door.post("/api/jobs", json=body)
            assert answer.status_code == 202, answer.text


@pytest.fixture
def described(sqlite_door: Door) -> dict[str, Any]:
    description: dict[str, Any] = sqlite_door.get("/openapi.json").json()
    return description


def test_the_description_names_every_call(described: dict[str, Any]) -> None:
    calls = {(path, method) for path, methods in described["paths"].items() for method in methods}
    assert calls >= ROUTES
    assert described["openapi"].startswith("3.1")


def test_every_call_is_described_with_its_answers_and_its_problems(described: dict[str, Any]) -> None:
    names = set()
    for path, method, call in _calls(described):
        assert call["summary"], path
        assert call["tags"], path
        names.add(call["operationId"])
        assert any(status.startswith("2") for status in call["responses"]), (method, path)
        in_path = {given["name"] for given in call.get("parameters", []) if given["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", path))
        problems = [answer for status, answer in call["responses"].items() if status[0] in "45"]
        for answer in problems:
            content = answer.get("content", {})
            assert set(content) <= {"application/problem+json", "application/json"}
            if schema := content.get("application/problem+json", {}).get("schema"):
                assert set(FIELDS) <= set(_resolved(described, schema)["properties"])
    assert len(names) == len(list(_calls(described)))


def test_every_reference_of_the_description_leads_somewhere(described: dict[str, Any]) -> None:
    for reference in set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(described))):
        assert _resolved(described, {"$ref": reference})


def test_the_schema_of_a_job_takes_what_the_server_takes(described: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/SubmitJob", "components": described["components"]}
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid({"kind": "image", "prompt": "x", "params": {"width": 512}, "labels": {"a": "b"}})
    for wrong in (
        {"kind": "sculpture"},
        {"prompt": "x"},
        {"kind": "image", "colour": 1},
        {"kind": "image", "labels": 1},
    ):
        assert not validator.is_valid(wrong), wrong


def _calls(described: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, call) for path, methods in described["paths"].items() for method, call in methods.items()]


def _resolved(described: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    found = described
    if "$ref" not in schema:
        return schema
    for step in schema["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found


def test_a_model_whose_provider_lacks_a_key_says_which_until_a_worker_has_it(door: Door) -> None:
    def imagen() -> dict[str, Any]:
        models = {model["id"]: model for model in door.get("/api/models").json()["models"]}
        found: dict[str, Any] = models["google/imagen-4-fast"]
        return found

    assert (imagen()["available"], imagen()["unavailable_reason"]) == (False, "no REPLICATE_API_TOKEN")
    refused = door.post("/api/jobs", json={"kind": "image", "model": "imagen-4-fast", "prompt": "x"})
    assert (refused.status_code, refused.json()["detail"].endswith("no REPLICATE_API_TOKEN.")) == (422, True)
    elsewhere = presence.Registration(
        "w9", "worker", "far", "boot", 1, "1", None, "database", None, '["image"]', '["replicate"]', 2, "0"
    )
    door.run(door.safelight.database.write(presence.register, elsewhere))
    lookout = Lookout(door.safelight.database, (), {"replicate": "no REPLICATE_API_TOKEN"})
    door.safelight.desk = replace(door.safelight.desk, lookout=lookout)
    assert (imagen()["available"], imagen()["unavailable_reason"]) == (True, None)
    assert door.post("/api/jobs", json={"kind": "image", "model": "imagen-4-fast", "prompt": "x"}).status_code == 202
