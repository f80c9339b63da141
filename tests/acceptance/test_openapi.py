"""Whatever fits /openapi.json is answered as it says: no crash, no undocumented status, type or shape."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from safelight.api.application import create_app
from tests.support.by_hand import HandWorker
from tests.support.door import BASE, Door

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
PARTS = ("method", "url", "params", "headers", "cookies", "json", "data", "files")
DESCRIBED = create_app(cast(Any, None)).openapi()
SCHEMA = schemathesis.openapi.from_dict(DESCRIBED).exclude(path_regex="^/v1/", method="POST")
"""Without the calls that answer when their job has ended: nobody works here, and they would wait for ten minutes."""
BOUNDED = settings(
    max_examples=8, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
"""The same examples at every run. More of them find more."""


@pytest.fixture(scope="module")
def busy_door(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """An installation with jobs in every state; what is sent to it changes it."""
    folder = tmp_path_factory.mktemp("described")
    logging.getLogger().setLevel(logging.CRITICAL)
    shutil.copyfile(sqlite_template, folder / "safelight.db")
    door = Door(folder, f"sqlite:///{folder / 'safelight.db'}")
    yield door
    door.close()


@pytest.fixture(scope="module")
def known(busy_door: Door) -> dict[str, list[str]]:
    """Ids that are there, by the name of the parameter."""
    worker = HandWorker(busy_door.safelight.database, busy_door.run)
    made = [busy_door.submit(f"job {n}", labels={"shelf": "x"})["id"] for n in range(6)]
    for n in range(4):
        (worker.fail if n == 3 else worker.complete)(worker.claim())
    batch = busy_door.post("/api/jobs", json={"kind": "batch", "prompts": ["a", "b"]}).json()["id"]
    assets = [asset["id"] for job_id in made[:3] for asset in busy_door.show(job_id)["assets"]]
    return {"job_id": [*made, batch], "asset_id": assets}


@SCHEMA.parametrize()
@BOUNDED
def test_a_call_answers_as_it_is_described(case: Any, busy_door: Door, known: dict[str, list[str]]) -> None:
    for name, ids in known.items():
        given = (case.path_parameters or {}).get(name)
        if given is not None and ids and len(str(given)) % 2:
            case.path_parameters[name] = ids[len(str(given)) // 2 % len(ids)]
    if case.operation.path.endswith("/events"):
        case.path_parameters["job_id"] = known["job_id"][0]  # one that has ended: its stream ends too
    case.validate_response(_answer(busy_door, case), checks=CHECKS)


def _answer(door: Door, case: Any) -> httpx.Response:
    """As schemathesis would send it: forms hold whatever it came upon, which only its own library writes down."""
    sent = case.as_transport_kwargs(base_url=BASE)
    request = requests.Request(**{name: sent[name] for name in PARTS if name in sent}).prepare()
    assert request.url is not None
    return door.request(str(request.method), request.url, headers=dict(request.headers), content=request.body)


def test_every_member_of_a_job_is_described_whatever_its_state(busy_door: Door) -> None:
    with busy_door.working():
        ended = busy_door.until_ended(busy_door.submit("described")["id"])
        batch = busy_door.post("/api/jobs", json={"kind": "batch", "prompts": ["a"]}).json()["id"]
        busy_door.until_ended(batch)
    later = busy_door.submit("later", start_at="2090-01-01T00:00:00Z")
    older = busy_door.post("/api/jobs/image-generation", json={"prompt": "older"}).json()
    refused = busy_door.post("/api/jobs", json={"kind": "image", "prompt": ""}).json()
    for name, bodies in {"Job": [ended, busy_door.show(batch), later, older], "Problem": [refused]}.items():
        validator = Draft202012Validator({**DESCRIBED, "$ref": f"#/components/schemas/{name}"})
        for body in bodies:
            assert [error.message for error in validator.iter_errors(body)] == []


def test_an_unchanged_list_of_models_is_not_sent_again(busy_door: Door) -> None:
    first = busy_door.get("/api/models")
    again = busy_door.get("/api/models", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
