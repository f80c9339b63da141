"""The channel of a task: joined, told of, asked for more, left; and what of all that is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from safelight.api import guests, phoenix_connection
from safelight.api.phoenix_connection import MOST_TOPICS
from safelight.events import follow as follow_module
from safelight.services.grant import Gift, grant
from tests.support.by_hand import HandWorker
from tests.support.door import Door
from tests.support.key_holders import holder, revoke
from tests.support.phoenix import PhoenixClient, phoenix

SMALL = {"width": 256, "height": 256, "seed": 7}
ASKED = {"prompt": "Medieval monk", **SMALL}
OK = {"status": "ok", "response": {}}
NOT_FOUND = {"status": "error", "response": {"reason": "Task not found"}}
UNMATCHED = {"status": "error", "response": {"reason": "unmatched topic"}}


def create(door: Door, **input_data: Any) -> str:
    answer = door.post("/api/tasks", json={"input_data": {"type": "image", **ASKED, **input_data}})
    task_id: str = answer.json()["data"]["task_id"]
    return task_id


@pytest.fixture
def client(door: Door) -> Iterator[PhoenixClient]:
    """Connected to an installation of its own, on both databases."""
    with door.listening() as base, phoenix(base) as connected:
        yield connected


def jobs(door: Door) -> list[str]:
    return [job["id"] for job in door.get("/api/jobs").json()["jobs"]]


def test_a_task_is_told_from_where_it_is_to_its_result(door: Door, client: PhoenixClient) -> None:
    task_id = create(door)
    assert client.join(task_id) == OK
    status = client.hear("status")
    assert status.pop("timestamp").endswith("Z")
    message = "Task is queued for processing"
    assert status == {"task_id": task_id, "status": "queued", "progress": 0.0, "message": message}
    with door.working():
        told = client.hear_end()
    assert {each["task_id"] for each in told} == {task_id}
    assert told[0]["status"] == "processing"
    assert [each["progress"] for each in told] == sorted(each["progress"] for each in told)
    assert (told[-1]["status"], told[-1]["progress"]) == ("completed", 1.0)
    assert told[-1]["result_data"].keys() == door.get(f"/api/tasks/{task_id}").json()["data"]["result_data"].keys()
    assert "error_data" not in told[-1]


def test_who_joins_late_is_told_the_end_at_once(door: Door, client: PhoenixClient) -> None:
    task_id = create(door)
    door.post(f"/api/jobs/{task_id}/cancel")
    for join_ref in ("1", "2"):
        client.join(task_id, join_ref)
        assert client.hear("status")["status"] == "canceled"
        end = client.hear("progress")
        assert (end["status"], end["error_data"]["code"]) == ("canceled", "canceled")


def test_the_same_request_on_the_topic_of_its_task_starts_nothing(door: Door, client: PhoenixClient) -> None:
    """The dual-path defect: one task failed, another one completed, and both told of themselves on one topic."""
    task_id = create(door)
    client.join(task_id)
    topic = f"task:{task_id}"
    ref = client.push(topic, "image_generate", {**ASKED, "model": "procedural"})
    answer = client.hear("image_response")
    assert (answer["success"], answer["task_id"], answer["request_id"]) == (True, task_id, None)
    assert client.hear("progress")["task_id"] == task_id
    assert client.until(lambda heard: heard.ref == ref).payload == {"status": "ok", "response": answer}
    assert jobs(door) == [task_id]
    with door.working():
        told = client.hear_end()
    assert {each["task_id"] for each in told} == {task_id}
    assert told[-1]["status"] == "completed"
    assert [heard.event for heard in client.everything()] == ["status"]


def test_a_second_request_is_a_new_task_whose_news_go_to_its_own_topic(door: Door, client: PhoenixClient) -> None:
    task_id = create(door)
    client.join(task_id)
    first, second = (client.ask(f"task:{task_id}", "image_generate", ASKED)["response"] for _ in range(2))
    assert first["task_id"] == task_id
    other = second["task_id"]
    assert sorted(jobs(door)) == sorted([task_id, other])
    client.join(other, "9")
    with door.working():
        door.until_ended(task_id)
        door.until_ended(other)
    ends = [client.until(lambda heard: heard.event == "progress" and "result_data" in heard.payload) for _ in range(2)]
    assert {heard.topic for heard in ends} == {f"task:{task_id}", f"task:{other}"}
    for heard in [*ends, *client.everything()]:
        if heard.event in ("status", "progress"):
            assert heard.topic == f"task:{heard.payload['task_id']}"


def test_a_completed_task_still_stands_for_the_same_request(door: Door, client: PhoenixClient) -> None:
    task_id = create(door)
    with door.working():
        door.until_ended(task_id)
    client.join(task_id)
    client.hear("progress")
    assert client.ask(f"task:{task_id}", "image_generate", ASKED)["response"]["task_id"] == task_id
    assert client.hear("progress")["result_data"]["image_url"]


@pytest.mark.parametrize("change", ["prompt", "kind", "age", "end"])
def test_another_request_or_an_old_or_failed_task_starts_a_new_one(
    door: Door, client: PhoenixClient, change: str
) -> None:
    task_id = create(door, prompt="a park") if change == "prompt" else create(door)
    if change == "age":
        door.make_older(task_id, 601)
    if change == "end":
        door.post(f"/api/jobs/{task_id}/cancel")
    client.join(task_id)
    event, asked = "image_generate", ASKED
    if change == "kind":
        event, asked = "video_generate", {"prompt": ASKED["prompt"]}
    answer = client.ask(f"task:{task_id}", event, asked)["response"]
    assert answer["success"] is True, answer
    assert answer["task_id"] != task_id


def test_a_repeated_request_id_pays_once_on_whichever_socket(door: Door) -> None:
    task_id = create(door)
    topic = f"task:{task_id}"

    def ask(client: PhoenixClient, request_id: Any, **more: Any) -> Any:
        return client.ask(topic, "image_generate", {**ASKED, "request_id": request_id, **more})["response"]

    with door.listening() as base:
        with phoenix(base) as client:
            client.join(task_id)
            assert ask(client, "r-1")["task_id"] == task_id
            assert ask(client, "r-1")["task_id"] == task_id
            other = ask(client, "r-2")
            assert (other["task_id"] != task_id, other["request_id"]) == (True, "r-2")
        with phoenix(base) as client:
            client.join(task_id)
            assert ask(client, "r-2")["task_id"] == other["task_id"], "what it gave first, not the task of the topic"
        with phoenix(base) as client:
            client.join(task_id)
            assert ask(client, "r-1")["task_id"] == task_id
            third = ask(client, "r-3")
            assert third["task_id"] not in (task_id, other["task_id"]), "a new wish, after one that was sent again"
        door.make_older(task_id, 601)
        with phoenix(base) as client:
            client.join(task_id)
            assert ask(client, "r-2")["task_id"] == other["task_id"]
            assert ask(client, "r-1")["task_id"] == task_id
            mismatch = ask(client, "r-2", prompt="something else")
            assert (mismatch["success"], mismatch["error"]["code"]) == (False, "IDEMPOTENCY_MISMATCH")
    assert len(jobs(door)) == 3


def test_requests_at_the_same_moment_on_one_topic_are_answered_one_after_the_other(
    door: Door, client: PhoenixClient
) -> None:
    task_id = create(door)
    client.join(task_id)
    refs = {client.push(f"task:{task_id}", "image_generate", ASKED) for _ in range(3)}
    replies = [client.until(lambda heard: heard.event == "phx_reply" and heard.ref in refs) for _ in refs]
    made = [reply.payload["response"]["task_id"] for reply in replies]
    assert made.count(task_id) == 1
    assert len(set(made)) == 3


@pytest.mark.parametrize(
    ("event", "payload", "answer", "code"),
    [
        ("image_generate", {}, "image_response", "VALIDATION_ERROR"),
        ("image_generate", {"prompt": 7}, "image_response", "VALIDATION_ERROR"),
        ("image_generate", {"prompt": "a", "colour": "red"}, "image_response", "VALIDATION_ERROR"),
        ("image_generate", {"prompt": "a\x00b"}, "image_response", "VALIDATION_ERROR"),
        ("image_generate", {"prompt": "a", "model": "imagen-9"}, "image_response", "UNKNOWN_MODEL"),
        ("video_generate", {"prompt": "a", "model": "imagen-9"}, "video_response", "UNKNOWN_MODEL"),
        ("llm_generate", {"prompt": "a", "model": "imagen-9"}, "llm_response", "UNKNOWN_MODEL"),
        ("image_generate", {"prompt": "a", "request_id": "x" * 101}, "image_response", "VALIDATION_ERROR"),
        ("image_generate", {"prompt": "a", "request_id": {}}, "image_response", "VALIDATION_ERROR"),
        ("image_generate", {"prompt": "a", "request_id": 2**63}, "image_response", "VALIDATION_ERROR"),
    ],
)
def test_what_cannot_be_made_is_an_error_in_the_event_and_in_the_reply(
    door: Door, client: PhoenixClient, event: str, payload: Any, answer: str, code: str
) -> None:
    task_id = create(door)
    client.join(task_id)
    reply = client.ask(f"task:{task_id}", event, payload)
    assert reply["status"] == "error"
    assert reply["response"] == client.hear(answer)
    assert (reply["response"]["success"], reply["response"]["error"]["code"]) == (False, code)
    assert jobs(door) == [task_id]


def test_requests_of_one_socket_that_wait_for_an_answer_are_bounded(
    door: Door, client: PhoenixClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phoenix_connection, "MOST_REQUESTS", 0)
    task_id = create(door)
    client.join(task_id)
    reply = client.ask(f"task:{task_id}", "image_generate", {**ASKED, "request_id": 7})
    assert (reply["status"], reply["response"]["error"]["code"]) == ("error", "RATE_LIMITED")
    assert client.hear("image_response") == reply["response"]
    assert reply["response"]["request_id"] == 7
    assert client.ask("phoenix", "heartbeat", join_ref=None) == OK


def test_null_is_as_good_as_nothing(door: Door, client: PhoenixClient) -> None:
    task_id = create(door)
    client.join(task_id)
    nothing = {"model": None, "aspect_ratio": None, "request_id": None}
    assert client.ask(f"task:{task_id}", "image_generate", {**ASKED, **nothing})["status"] == "ok"


def test_tasks_that_are_not_there_or_not_ours_cannot_be_joined(door: Door, client: PhoenixClient) -> None:
    foreign = create(door)
    door.give_away(foreign)
    for task_id in (foreign, "nothing", "", "x" * 10_000, foreign.replace("-", "")):
        assert client.join(task_id) == NOT_FOUND
    assert client.ask("room:lobby", "phx_join") == UNMATCHED
    assert client.ask(f"task:{foreign}", "image_generate", ASKED) == UNMATCHED
    assert client.ask("phoenix", "something") == UNMATCHED
    assert jobs(door) == []


def test_ids_in_capitals_are_the_same_ids(door: Door, client: PhoenixClient) -> None:
    """Swift writes a UUID in capitals."""
    task_id = create(door)
    topic = f"task:{task_id.upper()}"
    assert client.ask(topic, "phx_join") == OK
    assert client.until(lambda heard: heard.event == "status").topic == topic
    assert door.get(f"/api/tasks/{task_id.upper()}").json()["data"]["task_id"] == task_id


def test_heartbeats_pings_and_events_that_do_not_exist(door: Door, client: PhoenixClient) -> None:
    task_id = create(door)
    assert client.ask("phoenix", "heartbeat", join_ref=None) == OK
    client.join(task_id)
    assert client.ask(f"task:{task_id}", "ping", {"n": [1, {"a": None}]}) == {
        "status": "ok",
        "response": {"n": [1, {"a": None}]},
    }
    reply = client.ask(f"task:{task_id}", "dance")
    assert reply["status"] == "error"
    assert "'dance'" in reply["response"]["reason"]


def test_who_left_hears_no_more_and_may_come_again(door: Door, client: PhoenixClient) -> None:
    task_id = create(door)
    client.join(task_id, "1")
    assert client.ask(f"task:{task_id}", "phx_leave", join_ref="1") == OK
    closed = client.until(lambda heard: heard.event == "phx_close")
    assert (closed.join_ref, closed.ref, closed.topic) == ("1", "1", f"task:{task_id}")
    assert client.ask(f"task:{task_id}", "ping", join_ref="1") == UNMATCHED
    client.everything()
    with door.working():
        door.until_ended(task_id)
    assert client.everything() == []
    client.join(task_id, "5")
    assert client.hear("progress")["status"] == "completed"


def test_a_second_join_takes_the_place_of_the_first(door: Door, client: PhoenixClient) -> None:
    task_id = create(door)
    client.join(task_id, "1")
    client.hear("status")
    client.push(f"task:{task_id}", "phx_join", join_ref="2", ref="2b")
    closed, joined = client.next(), client.next()
    assert (closed.event, closed.join_ref) == ("phx_close", "1")
    assert (joined.event, joined.join_ref, joined.ref) == ("phx_reply", "2", "2b")
    assert client.until(lambda heard: heard.event == "status").join_ref == "2"
    assert client.ask(f"task:{task_id}", "ping", join_ref="1") == UNMATCHED
    assert door.watchers(task_id) == 1


@pytest.mark.parametrize("join_ref", [None, "1"])
def test_the_end_of_a_join_is_not_told_where_it_would_be_taken_for_that_of_the_next(
    door: Door, client: PhoenixClient, join_ref: str | None
) -> None:
    task_id = create(door)
    client.join(task_id, join_ref)
    client.join(task_id, join_ref)
    assert "phx_close" not in [heard.event for heard in client.everything()]
    assert door.watchers(task_id) == 1
    assert client.ask(f"task:{task_id}", "ping", join_ref=join_ref) == OK


def test_a_late_leave_of_an_older_join_ends_nothing(door: Door, client: PhoenixClient) -> None:
    task_id = create(door)
    client.join(task_id, "2")
    assert client.ask(f"task:{task_id}", "phx_leave", join_ref="1") == OK
    assert client.ask(f"task:{task_id}", "ping", join_ref="2") == OK


def test_topics_of_a_socket_are_bounded_and_nobody_watches_after_it_is_gone(sqlite_door: Door) -> None:
    tasks = [body["id"] for body in sqlite_door.submit_many(MOST_TOPICS + 1)]
    with sqlite_door.listening() as base:
        with phoenix(base) as client:
            replies = [client.join(task_id, task_id) for task_id in tasks]
            assert replies[:MOST_TOPICS] == [OK] * MOST_TOPICS
            assert str(MOST_TOPICS) in replies[-1]["response"]["reason"]
            client.ask(f"task:{tasks[0]}", "phx_leave", join_ref=tasks[0])
            assert client.join(tasks[-1], "last") == OK
            assert sqlite_door.watchers(tasks[1]) == 1
        assert sqlite_door.until_nobody_watches(tasks[1])


NO_MESSAGES = (
    *(
        "",
        "{",
        "7",
        "[]",
        "[" * 50_000,
        '["1","1","task:1","phx_join"]',
        '["1","1",7,"phx_join",{}]',
        '[[],"1","t","e",{}]',
    ),
    *(b"", b"\x01", b"\x00\xff\xff\xff\xff", b"\x00\x01\x01\x01\x01ab\xff\xffx"),
)


@pytest.mark.parametrize("frame", NO_MESSAGES)
def test_a_frame_that_is_no_message_ends_the_socket_with_the_reason(sqlite_door: Door, frame: str | bytes) -> None:
    with sqlite_door.listening() as base, phoenix(base) as client:
        client.socket.send(frame)
        with pytest.raises(ConnectionClosedError) as closed:
            client.next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1007
        assert closed.value.rcvd.reason


def test_payloads_that_are_no_objects_are_refused_and_the_socket_lives_on(sqlite_door: Door) -> None:
    task_id = create(sqlite_door)
    with sqlite_door.listening() as base, phoenix(base) as client:
        client.join(task_id)
        client.socket.send(binary("1", "b1", f"task:{task_id}", "image_generate", b"\x01\x02"))
        assert client.until(lambda heard: heard.ref == "b1").payload["status"] == "error"
        for payload in ([], 7, "text", None):
            client.socket.send(json.dumps(["1", "n1", f"task:{task_id}", "image_generate", payload]))
            assert client.until(lambda heard: heard.ref == "n1").payload["status"] == "error"
        assert client.ask("phoenix", "heartbeat", join_ref=None) == OK
    assert jobs(sqlite_door) == [task_id]


def test_version_one_speaks_in_objects(door: Door) -> None:
    task_id = create(door)
    with door.listening() as base:
        for path in ("/socket/websocket?vsn=1.0.0", "/socket/websocket"):
            with phoenix(base, path) as client:
                for event, topic in (("phx_join", f"task:{task_id}"), ("heartbeat", "phoenix")):
                    message = {"topic": topic, "event": event, "payload": {}, "ref": "4"}
                    client.socket.send(json.dumps(message))
                heard = [json.loads(client.socket.recv(20)) for _ in range(3)]
                assert {tuple(each) for each in heard} == {("topic", "event", "payload", "ref")}
                assert heard[0] == {"topic": f"task:{task_id}", "event": "phx_reply", "payload": OK, "ref": "4"}
                assert {each["event"] for each in heard[1:]} == {"status", "phx_reply"}
                client.socket.send(
                    json.dumps({**message, "topic": f"task:{task_id}", "event": "phx_leave", "ref": "5"})
                )
                left, closed = (json.loads(client.socket.recv(20)) for _ in range(2))
                assert (left["event"], left["ref"]) == ("phx_reply", "5")
                assert (closed["event"], closed["ref"]) == ("phx_close", "4"), "an end is known by the ref of its join"
                client.socket.send(b"\x00\x00\x00\x00\x00")
                with pytest.raises(ConnectionClosedError):
                    client.socket.recv(20)


def test_a_version_that_is_not_spoken_is_refused_before_the_socket_opens(sqlite_door: Door) -> None:
    with sqlite_door.listening() as base:
        with pytest.raises(InvalidStatus) as refused, phoenix(base, "/socket/websocket?vsn=3.0.0"):
            pass
        assert refused.value.response.status_code == 400
        told = json.loads(refused.value.response.body or b"")
        assert (told["success"], told["error"]["code"]) == (False, "VALIDATION_ERROR")


def test_pages_of_other_sites_are_refused_before_the_socket_opens(sqlite_door: Door) -> None:
    with sqlite_door.listening() as base:
        with pytest.raises(InvalidStatus) as refused, phoenix(base, origin="https://elsewhere.example"):
            pass
        assert refused.value.response.status_code == 403


def test_of_the_subprotocols_that_carry_a_token_phoenix_is_chosen(sqlite_door: Door) -> None:
    with sqlite_door.listening() as base:
        with phoenix(base, subprotocols=["phoenix", "base64url.bearer.phx.c2VjcmV0"]) as client:
            assert client.socket.subprotocol == "phoenix"
        with phoenix(base) as client:
            assert client.socket.subprotocol is None


def binary(join_ref: str, ref: str, topic: str, event: str, payload: bytes) -> bytes:
    parts = [part.encode() for part in (join_ref, ref, topic, event)]
    return bytes([0, *(len(part) for part in parts)]) + b"".join(parts) + payload


def bearer(key: str) -> str:
    """As the npm client sends its `authToken`."""
    return "base64url.bearer.phx." + base64.b64encode(key.encode()).decode().rstrip("=")


def test_keys_come_as_a_subprotocol_as_a_parameter_or_in_the_header(door: Door) -> None:
    ann, ben = holder(door, "ann"), holder(door, "ben")
    door.run(door.safelight.database.write(grant, Gift("ann", 1_000, "first", "")))
    answer = door.post("/api/tasks", json={"input_data": {"type": "image", **ASKED}}, headers=ann.headers)
    task_id, plain = answer.json()["data"]["task_id"], "/socket/websocket?vsn=2.0.0"
    ways: list[tuple[str, dict[str, Any]]] = [
        (plain, {"subprotocols": ["phoenix", bearer(ann.key)]}),
        (f"{plain}&token={ann.key}", {}),
        (plain, {"additional_headers": ann.headers}),
    ]
    with door.listening() as base:
        for path, options in ways:
            with phoenix(base, path, **options) as client:
                assert client.join(task_id) == OK
        with phoenix(base, f"{plain}&token={ben.key}") as client:
            assert client.join(task_id) == NOT_FOUND, "a task of another user"
            assert client.ask(f"task:{task_id}", "image_generate", ASKED) == UNMATCHED


@pytest.mark.parametrize(
    ("scopes", "lives_s", "status", "code"),
    [("jobs", -1.0, 401, "UNAUTHORIZED"), ("read", None, 403, "FORBIDDEN"), (None, None, 401, "UNAUTHORIZED")],
)
def test_without_a_key_that_is_good_the_socket_does_not_open(
    door: Door, scopes: str | None, lives_s: float | None, status: int, code: str
) -> None:
    holder(door)
    key = "" if scopes is None else f"&token={holder(door, 'ann', scopes, lives_s=lives_s).key}"
    with door.listening() as base:
        with pytest.raises(InvalidStatus) as refused, phoenix(base, f"/socket/websocket?vsn=2.0.0{key}"):
            pass
        assert refused.value.response.status_code == status
        assert json.loads(refused.value.response.body or b"")["error"]["code"] == code


def test_a_key_that_is_revoked_ends_the_socket(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guests, "CHECK_S", 0.01)
    ann = holder(door, "ann")
    with door.listening() as base, phoenix(base, additional_headers=ann.headers) as client:
        assert client.ask("phoenix", "heartbeat", join_ref=None) == OK
        revoke(door, ann)
        with pytest.raises(ConnectionClosedError) as closed:
            client.next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == guests.POLICY


def test_who_missed_too_much_is_told_where_the_task_is_and_goes_on(
    door: Door, client: PhoenixClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_module, "BEHIND", 0)  # every stored event is too much
    worker = HandWorker(door.safelight.database, door.run)
    task_id = create(door)
    client.join(task_id)
    client.hear("status")
    claimed = worker.claim()
    assert client.hear("progress")["status"] == "processing"
    worker.complete(claimed)
    assert client.hear("progress")["status"] == "completed"
    client.ask("phoenix", "heartbeat", join_ref=None)
    assert [heard.event for heard in client.everything()].count("progress") == 0


def test_messages_are_within_the_rate_limit_and_what_makes_nothing_takes_nothing_of_it(
    tmp_path: Path, database_url: str
) -> None:
    door = Door(tmp_path, database_url, environ={"SAFELIGHT_RATE_LIMIT": "3/hour"})
    try:
        ann = holder(door, "ann")
        door.run(door.safelight.database.write(grant, Gift("ann", 1_000, "first", "")))
        answer = door.post("/api/tasks", json={"input_data": {"type": "image", **ASKED}}, headers=ann.headers)
        assert answer.headers["RateLimit"].startswith('"submits";r=2')
        task_id = answer.json()["data"]["task_id"]
        with door.listening() as base, phoenix(base, additional_headers=ann.headers) as client:
            client.join(task_id)

            def ask(request_id: str) -> Any:
                asked = {**ASKED, "request_id": request_id}
                return client.ask(f"task:{task_id}", "image_generate", asked)["response"]

            assert ask("same")["task_id"] == task_id
            made = [ask("r-1")["task_id"], ask("r-2")["task_id"]]
            assert len({task_id, *made}) == 3
            assert ask("r-3")["error"]["code"] == "RATE_LIMITED"
            assert [ask("r-1")["task_id"], ask("r-2")["task_id"]] == made
    finally:
        door.close()
