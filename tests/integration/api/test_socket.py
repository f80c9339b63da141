"""Live updates over `/api/ws`: the same news as over server-sent events, of one job or of all of a user's."""

from __future__ import annotations

import logging
import socket as stdlib_socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from safelight.api import guests
from safelight.api import socket as socket_module
from safelight.events import follow as follow_module
from tests.support.by_hand import HandWorker
from tests.support.door import Door
from tests.support.key_holders import holder
from tests.support.live_socket import Socket, connected
from tests.support.sse import watching

NEVER = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
def base(door: Door) -> Iterator[str]:
    with door.listening() as url:
        yield url


@pytest.fixture
def socket(base: str) -> Iterator[Socket]:
    with connected(base) as client:
        yield client


@pytest.fixture
def worker(door: Door) -> HandWorker:
    return HandWorker(door.safelight.database, door.run)


def small_buffer(base: str) -> stdlib_socket.socket:
    """A connection whose server soon feels that nobody reads."""
    address = urlsplit(base)
    made = stdlib_socket.socket()
    made.setsockopt(stdlib_socket.SOL_SOCKET, stdlib_socket.SO_RCVBUF, 4_096)
    made.connect((address.hostname, address.port))
    return made


def brief(events: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(event["type"], event["sequence"]) for event in events]


def ended_job(door: Door, worker: HandWorker) -> str:
    job_id: str = door.submit()["id"]
    worker.complete(worker.claim())
    return job_id


def test_a_job_is_told_from_its_snapshot_to_its_end(door: Door, socket: Socket, worker: HandWorker) -> None:
    job_id = door.submit()["id"]
    topic = f"job:{job_id}"
    assert socket.ask(subscribe=topic) == {"subscribed": topic}
    snapshot = socket.hear()
    assert (snapshot["type"], snapshot["sequence"], snapshot["payload"]["status"]) == ("snapshot", 1, "pending")
    claimed = worker.claim()
    assert brief(socket.until("job.started")) == [("job.started", 2)]
    worker.report(claimed, 0.25)
    progress = socket.hear()
    assert progress["payload"] == {"status": "processing", "stage": "running", "progress": 0.25}
    worker.complete(claimed)
    (completed,) = socket.until("job.completed")
    assert completed["payload"]["status"] == "completed"
    assert completed.keys() == {"type", "job_id", "sequence", "at", "payload"}
    assert socket.ask(ping=7) == {"pong": 7}


def test_sockets_and_streams_tell_the_same_words(door: Door, base: str, socket: Socket, worker: HandWorker) -> None:
    job_id = door.submit()["id"]
    socket.ask(subscribe=f"job:{job_id}")
    with watching(base, job_id) as watch:
        first = [watch.next().data]
        worker.complete(worker.claim())
        streamed = first + [event.data for event in watch.rest()]
    assert socket.until("job.completed")[1:] == streamed[1:]


def test_who_comes_back_with_a_cursor_is_told_what_it_missed(door: Door, socket: Socket, worker: HandWorker) -> None:
    job_id = ended_job(door, worker)
    socket.ask(subscribe=f"job:{job_id}", after=1)
    assert brief(socket.until("job.completed")) == [("job.started", 2), ("job.completed", 3)]
    answer = socket.ask(subscribe=f"job:{job_id}", after=3)
    assert answer == {"subscribed": f"job:{job_id}", "ended": True}
    assert socket.ask(subscribe=f"job:{job_id}", after=10**9)["ended"] is True


def test_all_jobs_of_a_user_are_told_new_ones_too(door: Door, socket: Socket, worker: HandWorker) -> None:
    ended, waiting = ended_job(door, worker), door.submit()["id"]
    theirs = door.submit()["id"]
    door.give_away(theirs)
    socket.ask(subscribe="user")
    snapshots = [socket.hear(), socket.hear()]
    assert [(e["job_id"], e["type"]) for e in snapshots] == [(ended, "snapshot"), (waiting, "snapshot")]
    claimed = worker.claim()
    assert brief(socket.until("job.started"))[-1] == ("job.started", 2)
    fresh = door.submit()["id"]
    news = socket.until("snapshot")
    assert news[-1]["job_id"] == fresh
    worker.report(claimed, 0.5)
    assert socket.until("job.progress")[-1]["job_id"] == waiting
    worker.complete(claimed)
    assert socket.until("job.completed")[-1]["job_id"] == waiting
    door.post(f"/api/jobs/{fresh}/cancel")
    assert [(e["job_id"], e["sequence"]) for e in socket.until("job.canceled")] == [(fresh, 2)]
    assert socket.ask(ping=1) == {"pong": 1}


def test_a_wake_up_that_is_lost_delays_the_news_of_a_user(
    door: Door, socket: Socket, worker: HandWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safelight.api.topics.LOOK_AGAIN_S", 0.05)
    job_id = door.submit()["id"]
    socket.ask(subscribe="user")
    door.safelight.database.waker = lambda topics: None
    worker.complete(worker.claim())
    assert socket.until("job.completed")[-1]["job_id"] == job_id


def test_other_peoples_jobs_and_jobs_that_never_were_are_alike(door: Door, socket: Socket) -> None:
    theirs = door.submit()["id"]
    door.give_away(theirs)
    for job_id in (theirs, NEVER, "nonsense"):
        answer = socket.ask(subscribe=f"job:{job_id}")
        assert (answer["error"]["code"], answer["topic"]) == ("not_found", f"job:{job_id}")


def test_a_job_that_is_removed_while_it_is_watched_is_gone(door: Door, socket: Socket) -> None:
    job_id = door.submit()["id"]
    topic = f"job:{job_id}"
    socket.ask(subscribe=topic)
    socket.until("snapshot")
    door.hide(job_id)
    answer = socket.hear()
    assert (answer["error"]["code"], answer["topic"]) == ("gone", topic)
    assert socket.ask(subscribe=topic, after=1)["error"]["code"] == "gone"
    assert socket.ask(subscribe=topic)["error"]["code"] == "not_found"
    assert socket.ask(ping=4) == {"pong": 4}


NONSENSE = ["", "null", "[]", "[" * 5000, '{"subscribe": 1}', "{}", '{"subscribe": "all"}']
NONSENSE += ['{"subscribe": "user", "after": 0.5}', '{"subscribe": "user", "after": -1}']
NONSENSE += ['{"ping": NaN}', '{"ping": 1, "ping": 2}', '{"ping": "\\ud800"}', f'{{"ping": {"[" * 40}{"]" * 40}}}']


@pytest.mark.parametrize("text", NONSENSE)
def test_what_is_not_understood_is_answered_and_the_socket_lives_on(socket: Socket, text: str) -> None:
    socket.connection.send(text)
    answer = socket.hear()["error"]
    assert answer["code"] == "invalid_request"
    assert answer["remedy"]
    assert socket.ask(ping=2) == {"pong": 2}


def test_a_text_that_is_none_ends_the_socket_which_is_no_fault_of_the_program(
    sqlite_door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    with sqlite_door.listening() as base, connected(base) as client:
        client.connection.send(b"\xff", text=True)
        with pytest.raises(ConnectionClosed) as closed:
            client.hear()
    assert closed.value.rcvd
    assert closed.value.rcvd.code == 1007
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_bytes_end_the_socket_with_a_reason(socket: Socket) -> None:
    socket.connection.send(b"\x00")
    with pytest.raises(ConnectionClosed) as closed:
        socket.hear()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == guests.POLICY


def test_unsubscribed_topics_are_silent(door: Door, socket: Socket, worker: HandWorker) -> None:
    job_id = door.submit()["id"]
    socket.ask(subscribe=f"job:{job_id}")
    socket.until("snapshot")
    assert socket.ask(unsubscribe=f"job:{job_id}") == {"unsubscribed": f"job:{job_id}"}
    worker.complete(worker.claim())
    assert socket.ask(ping=3) == {"pong": 3}
    assert door.until_nobody_watches(job_id)


def test_a_second_subscription_begins_anew(door: Door, socket: Socket) -> None:
    topic = f"job:{door.submit()['id']}"
    for _ in range(3):
        assert socket.ask(subscribe=topic) == {"subscribed": topic}
        assert socket.hear()["type"] == "snapshot"
    assert door.watchers(topic.removeprefix("job:")) == 1


def test_topics_and_sockets_of_one_user_are_limited(
    door: Door, base: str, socket: Socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_module, "MOST_TOPICS", 1)
    monkeypatch.setattr(guests, "MOST_SOCKETS", 1)
    topic = f"job:{door.submit()['id']}"
    socket.ask(subscribe="user")
    socket.until("snapshot")
    assert socket.ask(subscribe=topic)["error"]["code"] == "rate_limited"
    with pytest.raises(InvalidStatus) as refused, connected(base):
        pass
    assert refused.value.response.status_code == 429


def test_pages_of_other_origins_are_refused_which_is_no_fault_of_the_program(
    base: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InvalidStatus) as refused, connected(base, origin="https://evil.example"):
        pass
    assert refused.value.response.status_code == 403
    assert [line for line in caplog.records if line.levelno >= logging.ERROR] == []


def test_who_missed_too_much_starts_anew(
    door: Door, socket: Socket, worker: HandWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_module, "BEHIND", 2)
    job_id = door.submit()["id"]
    for _ in range(3):
        worker.hand_back(worker.claim())
    socket.ask(subscribe=f"job:{job_id}", after=1)
    assert brief(socket.until("snapshot")) == [("snapshot", 7)]
    worker.complete(worker.claim())
    assert brief(socket.until("job.completed")) == [("job.started", 8), ("job.completed", 9)]


def test_a_client_that_takes_nothing_slows_no_one_and_is_let_go(
    door: Door, base: str, worker: HandWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guests, "STALLED_S", 0.2)
    monkeypatch.setattr(guests, "GOODBYE_S", 0.2)
    job_id = door.submit()["id"]
    with connected(base, sock=small_buffer(base), max_queue=1) as deaf, connected(base) as client:
        for each in (deaf, client):
            each.ask(subscribe=f"job:{job_id}")
            each.until("snapshot")
        for n in range(8):
            worker.hand_back(worker.claim(), reason=f"{n} " + "x" * 60_000)
            assert brief([client.hear(), client.hear()])[1][0] == "job.retrying"
        assert door.until_watched_by(job_id, 1)
        worker.complete(worker.claim())
        client.until("job.completed")


def test_a_client_that_goes_leaves_nothing_behind(door: Door, base: str) -> None:
    job_id = door.submit()["id"]
    with connected(base) as client:
        client.ask(subscribe=f"job:{job_id}")
        client.until("snapshot")
    assert door.until_nobody_watches(job_id)


def test_a_server_that_stops_says_that_it_restarts(door: Door) -> None:
    job_id = door.submit()["id"]
    with door.listening() as url, connected(url) as client:
        client.ask(subscribe=f"job:{job_id}")
        client.until("snapshot")
        door.stop_listening()
        with pytest.raises(ConnectionClosed) as closed:
            client.hear()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012


def test_a_credential_that_is_no_longer_good_ends_its_sockets(
    door: Door, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guests, "CHECK_S", 0.01)
    with connected(base) as client:
        assert client.ask(ping=1) == {"pong": 1}
        holder(door, "ann")
        with pytest.raises(ConnectionClosed) as closed:
            client.hear()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == guests.POLICY
