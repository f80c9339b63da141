"""One way in: the same request through every door makes the same job, and no door answers anything by a crash.

Whoever adds a door adds a line to DOORS, and one to ERRORS if it tells errors in a form of its own.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from typer.testing import CliRunner

from safelight.cli.main import app
from safelight.client import Client
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx
from safelight.testing.books import assert_books_balance
from tests.support.door import BASE, Door
from tests.support.phoenix import phoenix

PROMPT, SIZE, SEED, LABELS = "a lighthouse at dusk", {"width": 256, "height": 256}, 7, {"user": "ann"}
PARAMS = {**SIZE, "seed": SEED}
NATIVE = {"prompt": PROMPT, "model": "procedural", "labels": LABELS}
ASKED = (
    "user_id", "account", "kind", "model", "provider_pin", "queue", "prompt", "params", "inputs", "labels", "outputs",
    "priority", "warnings", "share", "run_limit_s", "max_attempts", "price", "terms", "callback", "replay_of",
    "resumed_call",
)  # fmt: skip
"""Columns that say what was asked and what it costs. The others say who made the job, when, and how far it is."""


@pytest.fixture
def door(tmp_path: Path, database_url: str) -> Iterator[Door]:
    logging.getLogger().setLevel(logging.CRITICAL)
    opened = Door(tmp_path, database_url)
    yield opened
    opened.close()


def native(door: Door) -> str:
    return _id(door.post("/api/jobs", json={"kind": "image", "params": PARAMS, **NATIVE}))


def typed(door: Door) -> str:
    return _id(door.post("/api/jobs/image-generation", json={"params": PARAMS, **NATIVE}))


def older(door: Door) -> str:
    answer = door.post("/api/jobs/image-generation", json={"options": PARAMS, **NATIVE})
    return str(answer.json()["jobId"])


def batch_item(door: Door) -> str:
    body = {"kind": "batch", "items": [{"kind": "image", "params": PARAMS, **NATIVE}]}
    batch = _id(door.post("/api/jobs", json=body))
    return str(door.get(f"/api/jobs/{batch}/items").json()["jobs"][0]["id"])


def older_batch(door: Door) -> str:
    body = {"prompts": [PROMPT], "model": "procedural", "labels": LABELS, "options": PARAMS, "batchSize": 1}
    batch = _id(door.post("/api/jobs/batch-generation", json=body))
    return str(door.get(f"/api/jobs/{batch}/items").json()["jobs"][0]["id"])


def retried(door: Door) -> str:
    job_id = native(door)
    door.post(f"/api/jobs/{job_id}/cancel")
    answer = door.post(f"/api/jobs/{job_id}/retry")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def python_client(door: Door) -> str:
    async def submit() -> dict[str, Any]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(door.app), base_url=BASE) as http:
            return await Client(http).submit("image", PROMPT, model="procedural", params=PARAMS, labels=LABELS)

    return str(door.run(submit())["id"])


def command_line(door: Door) -> str:
    """Without a server that beats: straight into the database, through the same application."""
    environment: dict[str, str | None] = dict.fromkeys(name for name in os.environ if name.startswith("SAFELIGHT_"))
    environment |= {
        "SAFELIGHT_DATABASE_URL": door.settings.database_address,
        "SAFELIGHT_DATA_DIR": str(door.settings.data_dir),
    }
    words = [
        "submit",
        PROMPT,
        "-m",
        "procedural",
        "--size",
        "256x256",
        "--seed",
        "7",
        "--label",
        "user=ann",
        "--no-wait",
    ]
    done = CliRunner().invoke(app, words, env=environment)
    assert done.exit_code == 0, done.output
    return done.stdout.strip().splitlines()[-1]


def task(door: Door) -> str:
    input_data = {"type": "image", "prompt": PROMPT, "model": "procedural", "labels": LABELS, **PARAMS}
    answer = door.post("/api/tasks", json={"input_data": input_data})
    return str(answer.json()["data"]["task_id"])


def channel(door: Door) -> str:
    """`image_generate` on the channel of a task that asked for something else."""
    other = door.post("/api/tasks", json={"input_data": {"type": "image", "prompt": "something else"}})
    topic = f"task:{other.json()['data']['task_id']}"
    with door.listening() as base, phoenix(base) as client:
        client.join(topic.removeprefix("task:"))
        client.push(topic, "image_generate", {"prompt": PROMPT, "model": "procedural", "labels": LABELS, **PARAMS})
        return str(client.hear("image_response")["task_id"])


def openai(door: Door) -> str:
    body = {"prompt": PROMPT, "model": "procedural", "size": "256x256", "seed": SEED, "user": "ann"}
    with door.working():
        answer = door.post("/v1/images/generations", json=body)
    assert answer.status_code == 200, answer.text
    return str(door.get("/api/jobs").json()["jobs"][0]["id"])


def avatar(door: Door) -> str:
    project = door.post("/api/avatar-creator/projects", json={"name": "cast"}).json()["id"]
    body = {"name": "keeper", **NATIVE, **PARAMS}
    answer = door.post(f"/api/avatar-creator/projects/{project}/generate", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def scene(door: Door) -> str:
    body = {"scene_description": PROMPT, "model": "procedural"}
    answer = door.post("/api/v1/chapters/7/images/scenes/1", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["task_id"])


DOORS: Mapping[str, Callable[[Door], str]] = {
    each.__name__: each
    for each in (
        typed,
        older,
        batch_item,
        older_batch,
        retried,
        python_client,
        command_line,
        task,
        channel,
        openai,
        avatar,
    )
}
OWN_LABELS = frozenset({"avatar"})
"""Doors that add labels of their own, by which they find their jobs."""


@pytest.mark.parametrize("name", DOORS)
def test_every_door_makes_the_job_that_the_native_one_makes(door: Door, name: str) -> None:
    expected, found = asked(door, native(door)), asked(door, DOORS[name](door))
    if name in OWN_LABELS:
        found["labels"] = {key: value for key, value in found["labels"].items() if key in LABELS}
    assert found == {**expected, "replay_of": found["replay_of"]}
    assert (found["replay_of"] is not None) == (name == "retried")


def test_a_scene_is_the_job_of_its_prompt_with_the_labels_of_its_place(door: Door) -> None:
    """It names neither size nor seed: what is left out, all doors leave to the same defaults."""
    native_id = _id(door.post("/api/jobs", json={"kind": "image", "prompt": PROMPT, "model": "procedural"}))
    expected, found = asked(door, native_id), asked(door, scene(door))
    assert found["labels"] == {"chapter_id": "7", "scene_number": "1", "image_type": "scene"}
    assert isinstance(found["params"].pop("seed"), int)
    del expected["params"]["seed"]
    assert found == {**expected, "labels": found["labels"]}


def asked(door: Door, job_id: str) -> dict[str, Any]:
    query = Query(sa.select(*(tables.jobs.c[name] for name in ASKED)).where(tables.jobs.c.id == _ID), _Row)
    row = door.run(door.safelight.database.read(lambda tx: tx.one(query, public_id=job_id)))
    assert row is not None
    values: dict[str, Any] = row._asdict()
    return values | {name: json.loads(values[name]) for name in ("params", "labels", "inputs", "warnings")}


_ID: sa.BindParameter[str] = sa.bindparam("public_id", type_=sa.Text())
_Row = NamedTuple("_Row", [(name, Any) for name in ASKED])  # type: ignore[misc]  # from the list above


def _id(answer: httpx.Response) -> str:
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


JUNK: some.SearchStrategy[Any] = some.one_of(
    some.none(), some.booleans(), some.integers(-3, 5000), some.text(max_size=8), some.just([])
)
SEEDS: some.SearchStrategy[Any] = some.one_of(some.integers(0, 2**31 - 1), JUNK)
FIELDS: some.SearchStrategy[dict[str, Any]] = some.fixed_dictionaries(
    {},
    optional={
        "prompt": some.one_of(some.sampled_from([PROMPT, "", "x" * 9000]), JUNK),
        "model": some.one_of(some.sampled_from(["procedural", "procedural-text", "no-such", ""]), JUNK),
        "labels": some.one_of(some.just(LABELS), JUNK),
        "params": some.one_of(some.fixed_dictionaries({}, optional={"width": JUNK, "seed": SEEDS, "n": JUNK}), JUNK),
        "priority": JUNK,
        "deadline": JUNK,
        "surprise": JUNK,
    },
)
KINDS: some.SearchStrategy[Any] = some.one_of(some.sampled_from(["image", "video", "text", "upscale", "batch"]), JUNK)
SENT: Mapping[str, Callable[[Any, dict[str, Any]], dict[str, Any]]] = {
    "/api/jobs": lambda kind, fields: {"kind": kind, **fields},
    "/api/jobs?dry_run=true": lambda kind, fields: {"kind": kind, **fields},
    "/api/jobs/image-generation": lambda _, fields: fields,
    "/api/jobs/text-generation": lambda _, fields: {**fields, "options": fields.get("params")},
    "/api/jobs/image-upscale": lambda _, fields: {"imageUrl": "data:,", **fields},
    "/api/jobs/batch-generation": lambda _, fields: {"prompts": [fields.get("prompt")], **fields},
    "/api/tasks": lambda kind, fields: {"input_data": {"type": kind, **fields}},
    "/api/v1/chapters/7/images/scenes/1": lambda _, fields: {
        **{name: value for name, value in fields.items() if name in ("model", "surprise")},
        "scene_description": fields.get("prompt"),
    },
}
ERRORS: Mapping[str, Callable[[dict[str, Any]], object]] = {
    "/api/tasks": lambda body: body["success"] is False and body["error"]["code"] and body["error"]["message"],
}
"""Doors with a form of their own for errors, by their address: whether a body is one."""


@pytest.fixture(scope="module")
def shared(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("doors")
    logging.getLogger().setLevel(logging.CRITICAL)
    (folder / "safelight.db").write_bytes(sqlite_template.read_bytes())
    opened = Door(folder, f"sqlite:///{folder / 'safelight.db'}")
    yield opened
    opened.close()


@pytest.mark.parametrize("path", SENT)
@given(kind=KINDS, fields=FIELDS)
@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_whatever_is_sent_to_a_door_makes_a_job_or_an_error_in_its_form(
    shared: Door, path: str, kind: Any, fields: dict[str, Any]
) -> None:
    before = shared.get("/api/credits").json()["held"]
    answer = shared.post(path, json=SENT[path](kind, fields))
    held = shared.get("/api/credits").json()["held"] - before
    body = answer.json()
    assert answer.status_code < 500, answer.text
    if answer.is_success:
        job_id = body["data"]["task_id"] if "data" in body else body.get("id") or body.get("task_id")
        assert held == (shared.show(job_id)["credits"]["held"] if job_id else 0)
        return
    assert held == 0
    assert ERRORS.get(path, _is_problem)(body), answer.text


def test_the_books_balance_after_all_of_it(shared: Door) -> None:
    def check(tx: Tx) -> None:
        assert_books_balance(tx)

    shared.run(shared.safelight.database.read(check))


def _is_problem(body: dict[str, Any]) -> object:
    return body["code"] and body["title"] and body["detail"] and body["remedy"] and body["status"] >= 400
