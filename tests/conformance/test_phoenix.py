"""The npm client of Phoenix channels, unchanged, against a real server: today's, and the last of version 1."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.phoenix_npm import NpmClient, npm_client
from tests.support.server import Installation, installation
from tests.support.text_providers import with_text_providers

ASKED = {"prompt": "Medieval monk", "model": "procedural", "width": 256, "height": 256, "seed": 7}
EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "task_channel.py"
PACKAGES = ("phoenix", "phoenix-v1")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One that works, with stand-ins for providers of texts."""
    with with_text_providers(tmp_path_factory.mktemp("phoenix")) as (made, _):
        made.serve()
        yield made


@pytest.fixture(params=PACKAGES)
def client(request: pytest.FixtureRequest, server: Installation) -> Iterator[NpmClient]:
    with npm_client(server.url, request.param) as connected:
        connected.until(lambda heard: heard["on"] == "open")
        yield connected


def create(server: Installation, **input_data: Any) -> str:
    body = {"input_data": {"type": "image", **ASKED, **input_data}}
    task_id: str = server.request("POST", "/api/tasks", json=body).raise_for_status().json()["data"]["task_id"]
    return task_id


def jobs(server: Installation, prompt: str) -> list[str]:
    return [job["id"] for job in server.request("GET", "/api/jobs").json()["jobs"] if job["prompt"] == prompt]


def test_a_task_is_followed_to_its_result(server: Installation, client: NpmClient) -> None:
    task_id = create(server)
    assert client.join(task_id)["status"] == "ok"
    assert client.event("status")["payload"]["task_id"] == task_id
    told = client.end()
    assert [each["progress"] for each in told] == sorted(each["progress"] for each in told)
    assert told[-1]["status"] == "completed"
    picture = server.request("GET", told[-1]["result_data"]["image_url"])
    assert picture.headers["content-type"].startswith("image/")


def test_one_task_has_one_story(server: Installation, client: NpmClient) -> None:
    """As the Swift client does it: POST, join, and the same request over the channel. A second one is another task."""
    prompt = f"Beautiful Christian Park {id(client)}"
    task_id = create(server, prompt=prompt)
    client.join(task_id)
    asked = {**ASKED, "prompt": prompt}
    first = client.push(task_id, "image_generate", asked)
    assert (first["status"], first["response"]["task_id"]) == ("ok", task_id)
    second = client.push(task_id, "image_generate", asked)["response"]["task_id"]
    assert sorted(jobs(server, prompt)) == sorted({task_id, second})
    server.until_ended([task_id, second])
    client.do("push", topic=f"task:{task_id}", event="ping", payload={"n": 1})
    assert client.reply("ping")["response"] == {"n": 1}
    ends = [heard for heard in client.heard if heard["on"] == "event" and "result_data" in heard["payload"]]
    assert {heard["payload"]["task_id"] for heard in ends} == {task_id}


SHORT_FILM = {"prompt": "a park in the wind", "width": 128, "height": 128, "duration_s": 1, "fps": 12}
STORY = {"prompt": "a story of a park", "model": "gpt-4.1"}


@pytest.mark.parametrize(
    ("event", "payload", "result"),
    [("video_generate", SHORT_FILM, "video_url"), ("llm_generate", STORY, "text")],
    ids=["video", "text"],
)
def test_films_and_texts_are_made_by_message_too(
    server: Installation, client: NpmClient, event: str, payload: dict[str, Any], result: str
) -> None:
    task_id = create(server)
    client.join(task_id)
    made = client.push(task_id, event, {**payload, "request_id": "r-7"})
    assert (made["status"], made["response"]["success"], made["response"]["request_id"]) == ("ok", True, "r-7")
    other = made["response"]["task_id"]
    assert client.join(other)["status"] == "ok"
    end = client.until(lambda heard: heard["on"] == "event" and heard["payload"].get("result_data", {}).get(result))
    assert end["topic"] == f"task:{other}"


def test_errors_are_seen_as_errors(server: Installation, client: NpmClient) -> None:
    task_id = create(server)
    refused = client.join("508b9881-0000-7000-8000-000000000000")
    assert (refused["status"], refused["response"]) == ("error", {"reason": "Task not found"})
    client.join(task_id)
    unknown = client.push(task_id, "image_generate", {"prompt": "a", "model": "imagen-9", "request_id": "r-1"})
    assert unknown["status"] == "error"
    assert (unknown["response"]["success"], unknown["response"]["error"]["code"]) == (False, "UNKNOWN_MODEL")
    assert unknown["response"]["request_id"] == "r-1"
    assert client.push(task_id, "dance", {})["status"] == "error"


def test_a_channel_is_left_and_joined_anew(server: Installation, client: NpmClient) -> None:
    task_id = create(server)
    client.join(task_id)
    client.do("leave", topic=f"task:{task_id}")
    assert client.reply("leave")["status"] == "ok"
    assert client.join(task_id)["status"] == "ok"
    assert client.event("status")["payload"]["task_id"] == task_id
    assert client.end()[-1]["status"] == "completed"


@pytest.mark.parametrize("package", PACKAGES)
def test_heartbeats_are_answered(server: Installation, package: str) -> None:
    with npm_client(server.url, package, heartbeatIntervalMs=300) as client:
        for _ in range(3):
            beat = client.until(lambda heard: heard["on"] == "message" and heard["message"]["topic"] == "phoenix")
            assert beat["message"]["payload"]["status"] == "ok"
        assert not [heard for heard in client.heard if heard["on"] == "close"]


def test_a_token_travels_as_a_subprotocol(server: Installation) -> None:
    with npm_client(server.url, authToken="not-a-real-key") as client:  # local mode takes any
        assert client.until(lambda heard: heard["on"] == "open")["protocol"] == "phoenix"
        assert client.join(create(server))["status"] == "ok"


@pytest.mark.parametrize("package", PACKAGES)
def test_a_restarted_server_is_found_again_and_tells_the_rest(tmp_path: Path, package: str) -> None:
    with installation(tmp_path) as made:
        first = made.serve("--no-worker")
        port = made.url.rpartition(":")[2]
        task_id = create(made)
        with npm_client(made.url, package) as client:
            assert client.join(task_id)["status"] == "ok"
            assert client.event("status")["payload"]["status"] == "queued"
            assert first.drain() == 0
            client.until(lambda heard: heard["on"] == "channel_error")
            made.serve("--port", port)
            assert client.event("status")["payload"]["task_id"] == task_id
            assert client.end()[-1]["status"] == "completed"


def test_on_postgres_with_a_worker_of_its_own_the_story_is_the_same(tmp_path: Path, postgres_url: str) -> None:
    with installation(tmp_path, database_url=postgres_url) as made:
        made.serve("--no-worker")
        task_id = create(made)
        with npm_client(made.url) as client:
            assert client.join(task_id)["status"] == "ok"
            assert client.push(task_id, "image_generate", ASKED)["response"]["task_id"] == task_id
            made.worker()
            told = client.end()
        assert {each["task_id"] for each in told} == {task_id}
        assert told[-1]["status"] == "completed"


def test_the_example_makes_a_picture_as_the_swift_client_does(server: Installation, tmp_path: Path) -> None:
    command = [sys.executable, str(EXAMPLE), f"a park for {tmp_path.name}"]
    env = {**os.environ, "SAFELIGHT_URL": server.url}
    ran = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "task_channel.png").stat().st_size > 1_000
    assert ran.stdout.count("image_response") == 1
    assert len(jobs(server, f"a park for {tmp_path.name}")) == 1
