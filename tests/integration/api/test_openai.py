"""The door for clients of OpenAI: jobs like any other, waited for, in their words and with their errors."""

from __future__ import annotations

import asyncio
import base64
import json
import queue
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from safelight.api.waiting import WaitingRoom
from safelight.domain.clock import local_s
from safelight.services.repeats import SAME_FOR_S
from safelight.testing.pictures import tiny_png
from tests.support.by_hand import HandWorker
from tests.support.door import PATIENCE_S, Door
from tests.support.key_holders import holder

SMALL = {"prompt": "a lighthouse", "size": "256x256", "seed": 7}
CHAT = {"model": "procedural-text", "messages": [{"role": "user", "content": "a haiku"}], "seed": 7}


def generate(door: Door, sent_before: int | None = None, **fields: Any) -> Any:
    headers = {} if sent_before is None else {"x-stainless-retry-count": str(sent_before)}
    return door.post("/v1/images/generations", json={**SMALL, **fields}, headers=headers)


def jobs_of(door: Door, prompt: str) -> list[dict[str, Any]]:
    return [job for job in door.get("/api/jobs?limit=200").json()["jobs"] if job["prompt"] == prompt]


def error(answer: Any) -> dict[str, Any]:
    assert set(answer.json()) == {"error"}, answer.text
    found: dict[str, Any] = answer.json()["error"]
    assert {"message", "type", "param", "code"} <= set(found)
    assert isinstance(found["message"], str)
    return found


@pytest.fixture(scope="module")
def busy(shared_door: Door) -> Any:
    """With a worker."""
    with shared_door.working():
        yield shared_door


def test_pictures_are_the_files_of_the_job_that_our_own_api_makes(busy: Door) -> None:
    answer = generate(busy, prompt="the same job", n=2, output_format="webp", user="u-1")
    assert answer.status_code == 200, answer.text
    (theirs,) = jobs_of(busy, "the same job")
    params = {"width": 256, "height": 256, "seed": 7, "n": 2, "format": "webp"}
    mine = busy.submit("the same job", params=params, labels={"user": "u-1"})
    same = ("kind", "model", "queue", "prompt", "params", "inputs", "labels", "priority", "max_attempts")
    assert {name: theirs[name] for name in same} == {name: mine[name] for name in same}
    data = answer.json()["data"]
    assert [each["url"].partition("?")[0] for each in data] == [a["url"].partition("?")[0] for a in theirs["assets"]]
    for each, asset in zip(data, theirs["assets"], strict=True):
        assert len(base64.b64decode(each["b64_json"])) == asset["bytes"]
    assert answer.headers["x-safelight-job"] == theirs["id"]


BOTH = {"url", "b64_json"}


@pytest.mark.parametrize(("wanted", "there"), [("url", {"url"}), ("b64_json", {"b64_json"}), (None, BOTH)])
def test_a_picture_comes_as_an_address_or_in_the_answer(busy: Door, wanted: str | None, there: set[str]) -> None:
    (data,) = generate(busy, response_format=wanted).json()["data"]
    assert set(data) == there


def test_what_is_left_to_the_server_is_as_good_as_nothing(busy: Door) -> None:
    prompt = "all of it auto"
    answer = generate(busy, prompt=prompt, size="auto", quality="auto", background="auto", n=None, stream=False)
    assert answer.status_code == 200, answer.text
    assert jobs_of(busy, prompt)[0]["params"]["width"] == 1024


WRONG = [
    ({"prompt": None}, 400, "prompt", "invalid_value"),
    ({"prompt": " "}, 400, "prompt", "invalid_value"),
    ({"size": "big"}, 400, "size", "invalid_value"),
    ({"size": "64x64"}, 400, "size", "invalid_value"),
    ({"output_format": "gif"}, 400, "output_format", "invalid_value"),
    ({"style": "vivid"}, 400, "style", "invalid_value"),
    ({"stream": True}, 400, "stream", "invalid_value"),
    ({"n": 11}, 400, "n", "invalid_value"),
    ({"n": "2"}, 400, "n", "invalid_value"),
    ({"response_format": "tiff"}, 400, "response_format", "invalid_value"),
    ({"model": "no-such"}, 404, "model", "model_not_found"),
    ({"model": "procedural-text"}, 404, "model", "model_not_found"),
    ({"model": "dall-e-3"}, 404, None, "model_not_found"),
]


@pytest.mark.parametrize(("fields", "status", "param", "code"), WRONG, ids=lambda each: str(each)[:30])
def test_each_refusal_names_the_field_as_it_was_sent(
    shared_door: Door, fields: dict[str, Any], status: int, param: str | None, code: str
) -> None:
    answer = generate(shared_door, **fields)
    found = error(answer)
    assert (answer.status_code, found["param"], found["code"]) == (status, param, code), answer.text
    assert found["type"] == "invalid_request_error"


def test_every_problem_below_v1_has_their_form(shared_door: Door) -> None:
    big = b" " * (2 * 1024 * 1024)
    as_json = {"Content-Type": "application/json"}
    for answer, status in (
        (shared_door.get("/v1/nothing"), 404),
        (shared_door.request("DELETE", "/v1/models"), 405),
        (shared_door.post("/v1/images/generations", content=b"{", headers=as_json), 400),
        (shared_door.post("/v1/images/generations", content=big, headers=as_json), 413),
        (shared_door.post("/v1/images/edits", json={}), 400),
        (shared_door.get("/v1/models?limit=1"), 400),
    ):
        assert answer.status_code == status, answer.text
        error(answer)


def test_keys_and_credits_are_told_in_their_words(sqlite_door: Door) -> None:
    poor = holder(sqlite_door, "poor").headers
    assert sqlite_door.get("/v1/models").status_code == 401
    assert error(sqlite_door.get("/v1/models"))["code"] == "invalid_api_key"
    answer = sqlite_door.post("/v1/images/generations", json=SMALL, headers=poor)
    assert (answer.status_code, error(answer)["code"]) == (429, "insufficient_quota")
    assert answer.headers["x-should-retry"] == "false"
    reads = holder(sqlite_door, "poor", "read").headers
    assert sqlite_door.get("/v1/models", headers=reads).status_code == 403


def test_a_job_that_is_canceled_answers_with_its_id_and_is_not_to_be_repeated(sqlite_door: Door) -> None:
    hub, client = sqlite_door.safelight.hub, sqlite_door._client

    async def both() -> tuple[Any, str]:
        with hub.waiting("user:local", by_name_only=True) as waiter:
            asking = asyncio.create_task(client.post("/v1/images/generations", json=SMALL))
            assert await waiter.wait(20)
        (job,) = (await client.get("/api/jobs")).json()["jobs"]
        await client.post(f"/api/jobs/{job['id']}/cancel")
        return await asking, job["id"]

    answer, job_id = sqlite_door.run(both())
    assert answer.status_code == 409
    assert error(answer)["job_id"] == job_id
    assert answer.headers["x-should-retry"] == "false"


def test_a_repeat_joins_the_newest_job_of_the_same_request(busy: Door) -> None:
    prompt = "sent again"
    first = generate(busy, 0, prompt=prompt)
    second = generate(busy, 0, prompt=prompt)
    assert first.headers["x-safelight-job"] != second.headers["x-safelight-job"], "nobody said it was a repeat"
    for sent_before in (1, 2):
        again = generate(busy, sent_before, prompt=prompt)
        assert again.headers["x-safelight-job"] == second.headers["x-safelight-job"]
    assert generate(busy, 1, prompt=prompt, seed=8).headers["x-safelight-job"] not in (
        first.headers["x-safelight-job"],
        second.headers["x-safelight-job"],
    )
    assert len(jobs_of(busy, prompt)) == 3


def test_a_repeat_of_what_never_became_a_job_is_simply_made(busy: Door) -> None:
    prompt = "lost on its way"
    made = [generate(busy, 1, prompt=prompt).headers["x-safelight-job"] for _ in range(2)]
    assert len(set(made)) == 1
    assert len(jobs_of(busy, prompt)) == 1


def test_repeats_at_one_moment_are_one_job_and_one_payment(busy: Door) -> None:
    prompt = "all at once"
    answers = busy.at_once(
        "POST",
        ["/v1/images/generations"] * 8,
        json={**SMALL, "prompt": prompt},
        headers={"x-stainless-retry-count": "1"},
    )
    assert {answer.status_code for answer in answers} == {200}
    assert len(jobs_of(busy, prompt)) == 1


def test_a_job_stands_for_repeats_for_a_while_only(busy: Door) -> None:
    prompt = "long ago"
    first = generate(busy, 0, prompt=prompt).headers["x-safelight-job"]
    busy.make_older(first, SAME_FOR_S + 1)
    assert generate(busy, 1, prompt=prompt).headers["x-safelight-job"] != first


def test_jobs_of_other_doors_are_joined_by_nobody(busy: Door) -> None:
    prompt = "by another door"
    mine = busy.submit(prompt)
    assert generate(busy, 1, prompt=prompt).headers["x-safelight-job"] != mine["id"]


def test_a_text_is_one_answer_to_what_the_system_and_the_user_say(busy: Door) -> None:
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "a haiku"}, {"type": "text", "text": "on tea"}]},
        {"role": "system", "content": "be brief"},
    ]
    answer = busy.post("/v1/chat/completions", json={**CHAT, "messages": messages, "max_completion_tokens": 20})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    job = busy.show(answer.headers["x-safelight-job"])
    assert job["prompt"] == "be brief\n\na haiku\n\non tea"
    assert job["params"]["max_tokens"] == 20
    (choice,) = told["choices"]
    assert (choice["message"]["role"], choice["message"]["content"]) == ("assistant", job["text"])
    assert choice["finish_reason"] == "length"
    assert told["usage"]["total_tokens"] == told["usage"]["prompt_tokens"] + told["usage"]["completion_tokens"]


def test_a_text_is_streamed_as_the_job_has_it(busy: Door) -> None:
    began = local_s()
    answer = busy.post("/v1/chat/completions", json={**CHAT, "stream": True, "stream_options": {"include_usage": True}})
    assert local_s() - began < 30
    assert answer.headers["content-type"].startswith("text/event-stream")
    lines = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line) for line in lines[:-1]]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] > 0
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks[:-1])
    assert text == busy.show(answer.headers["x-safelight-job"])["text"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "assistant", "content": "I said"}]}, "messages[0].role"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"stop": ["x"]}, "stop"),
        ({"n": 2}, "n"),
        ({"top_p": 0.5}, "top_p"),
        ({"max_tokens": 3, "max_completion_tokens": 4}, "max_completion_tokens"),
    ],
)
def test_what_a_text_cannot_be_asked_for_is_refused_by_name(
    shared_door: Door, fields: dict[str, Any], param: str
) -> None:
    answer = shared_door.post("/v1/chat/completions", json={**CHAT, **fields})
    assert (answer.status_code, error(answer)["param"]) == (400, param), answer.text


def test_models_are_those_that_can_be_used_now_by_every_name(shared_door: Door) -> None:
    listed = shared_door.get("/v1/models").json()
    assert listed["object"] == "list"
    assert {"procedural", "procedural-text"} <= {model["id"] for model in listed["data"]}
    assert shared_door.get("/v1/models/procedural-image").json()["id"] == "procedural-image"
    assert shared_door.get("/v1/models/openai/gpt-image-2").json()["owned_by"] == "openai"
    answer = shared_door.get("/v1/models/no/such")
    assert (answer.status_code, error(answer)["code"]) == (404, "model_not_found")


def test_an_edit_keeps_its_pictures_as_uploads_and_says_what_is_wrong_with_them(shared_door: Door) -> None:
    def edit(*files: tuple[str, bytes], **fields: str) -> Any:
        sent = [(name, ("p.png", data, "image/png")) for name, data in files]
        return shared_door.post("/v1/images/edits", files=sent, data={"prompt": "bluer", **fields})

    for answer, param in (
        (edit(("mask", tiny_png())), "image"),
        (edit(("image", b"no picture at all")), "image"),
        (edit(("image", tiny_png()), ("other", tiny_png())), "other"),
        (edit(("image", tiny_png()), size="big"), "size"),
        (edit(("image", tiny_png()), model="procedural"), "image"),
    ):
        assert (answer.status_code, error(answer)["param"]) == (400, param), answer.text


async def _the_job(door: Door) -> dict[str, Any]:
    """The only one there is, once it is there."""
    async with asyncio.timeout(PATIENCE_S):
        with door.safelight.hub.waiting("user:local", by_name_only=True) as waiter:
            while not (found := (await door._client.get("/api/jobs")).json()["jobs"]):
                await waiter.wait(1.0)
                waiter.clear()
    job: dict[str, Any] = found[0]
    return job


def _lines(base: str, heard: queue.Queue[str]) -> None:
    with (
        httpx.Client(base_url=base, trust_env=False, timeout=PATIENCE_S) as client,
        client.stream("POST", "/v1/chat/completions", json={**CHAT, "stream": True}) as answer,
    ):
        for line in answer.iter_lines():
            if line:
                heard.put(line)


def test_words_cannot_be_taken_back_when_a_model_begins_anew(sqlite_door: Door) -> None:
    door, heard = sqlite_door, queue.Queue[str]()
    worker = HandWorker(door.safelight.database, door.run, "text")
    with door.listening() as base, ThreadPoolExecutor(1) as pool:
        asking = pool.submit(_lines, base, heard)
        job = door.run(_the_job(door))
        claimed = worker.claim()
        worker.report(claimed, 0.25, text="It was a dark")
        first = json.loads(heard.get(timeout=PATIENCE_S).removeprefix("data: "))
        assert first["choices"][0]["delta"] == {"role": "assistant", "content": "It was a dark"}
        worker.hand_back(claimed)
        worker.report(worker.claim(), 0.1, text="Once")
        last = json.loads(heard.get(timeout=PATIENCE_S).removeprefix("data: "))
        asking.result(PATIENCE_S)
    assert last["error"]["job_id"] == job["id"]
    assert "began anew after 13 characters" in last["error"]["message"]
    assert heard.empty(), "no [DONE]: it is not whole"


def test_who_hangs_up_cancels_nothing(sqlite_door: Door) -> None:
    door = sqlite_door

    async def hang_up(base: str) -> str:
        async with httpx.AsyncClient(base_url=base, trust_env=False) as client:
            asking = asyncio.create_task(client.post("/v1/images/generations", json=SMALL))
            job = await _the_job(door)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            job_id: str = job["id"]
            return job_id

    with door.listening() as base:
        job_id = door.run(hang_up(base))
        assert door.until_nobody_watches(job_id)
    with door.working():
        assert door.until_ended(job_id)["status"] == "completed"


def test_where_no_more_may_wait_the_answer_names_the_job(sqlite_door: Door) -> None:
    sqlite_door.app.state.waiting_room = WaitingRoom(seats=0)
    answer = generate(sqlite_door)
    (job,) = jobs_of(sqlite_door, SMALL["prompt"])
    assert (answer.status_code, error(answer)["job_id"]) == (503, job["id"])
    assert answer.headers["x-should-retry"] == "false"
