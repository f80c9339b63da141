"""Live updates of one job over server-sent events, on a real socket: a snapshot, then all news, then the end."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest

from safelight.api import guests
from safelight.events import follow as follow_module
from safelight.services.claimable import ClaimedJob
from tests.integration.api.problems import problem
from tests.support.by_hand import HandWorker
from tests.support.door import Door
from tests.support.sse import Event, watching

STORED = ["job.submitted", "job.started", "job.retrying", "job.started", "job.completed"]


@pytest.fixture
def base(door: Door) -> Iterator[str]:
    with door.listening() as url:
        yield url


@pytest.fixture
def worker(door: Door) -> HandWorker:
    return HandWorker(door.safelight.database, door.run)


def types(events: list[Event]) -> list[str]:
    return [event.type for event in events]


def ids(events: list[Event]) -> list[int]:
    return [event.id for event in events]


def ended_job(door: Door, worker: HandWorker) -> str:
    """A job that was handed back once and then completed: events 1 to 5 are stored."""
    job_id: str = door.submit()["id"]
    worker.hand_back(worker.claim())
    worker.complete(worker.claim())
    return job_id


def test_a_watcher_gets_a_snapshot_then_every_event_once_then_the_end(
    door: Door, base: str, worker: HandWorker
) -> None:
    job_id = door.submit()["id"]
    with watching(base, job_id) as watch:
        assert watch.answer.headers["Content-Type"].startswith("text/event-stream")
        assert watch.answer.headers["Cache-Control"] == "no-store"
        snapshot = watch.next()
        assert (snapshot.type, snapshot.id) == ("snapshot", 1)
        assert snapshot.payload["id"] == job_id
        assert snapshot.payload["status"] == "pending"
        claimed = worker.claim()
        started = watch.next()
        assert (started.type, started.id, started.payload) == ("job.started", 2, {"attempt": 1})
        worker.report(claimed, 0.25)
        progress = watch.next()
        assert (progress.type, progress.id) == ("job.progress", 3)
        assert progress.payload == {"status": "processing", "stage": "running", "progress": 0.25}
        worker.report(claimed, 0.5, preview="UklGRg==")
        progress, preview = watch.next(), watch.next()
        assert (progress.type, progress.id, preview.type, preview.id) == ("job.progress", 4, "job.preview", 4)
        shown = httpx.get(preview.payload["preview_url"], trust_env=False)
        assert (shown.status_code, shown.content) == (200, b"RIFF")
        worker.complete(claimed)
        (completed,) = watch.rest()
    assert (completed.type, completed.id) == ("job.completed", 5)
    assert completed.payload == httpx.get(f"{base}/api/jobs/{job_id}", trust_env=False).json()
    for event in (snapshot, started, progress, preview, completed):
        assert event.data is not None
        assert event.data.keys() == {"type", "job_id", "sequence", "at", "payload"}
        assert (event.data["type"], event.data["job_id"], event.data["sequence"]) == (event.type, job_id, event.id)


def test_an_ended_job_is_a_snapshot_and_the_end(door: Door, base: str, worker: HandWorker) -> None:
    with watching(base, ended_job(door, worker)) as watch:
        (snapshot,) = watch.everything()
    assert (snapshot.type, snapshot.id, snapshot.payload["status"]) == ("snapshot", 5, "completed")


def test_from_the_beginning_every_stored_event_is_told_again(door: Door, base: str, worker: HandWorker) -> None:
    with watching(base, ended_job(door, worker), after=0) as watch:
        told = watch.everything()
    assert (types(told), ids(told)) == (STORED, [1, 2, 3, 4, 5])


@pytest.mark.parametrize("seen", [1, 2, 3, 4])
def test_a_reconnect_brings_what_came_after_the_last_event_seen(
    door: Door, base: str, worker: HandWorker, seen: int
) -> None:
    job_id = ended_job(door, worker)
    for query in ({"last_event_id": seen}, {"after": seen}, {"last_event_id": seen, "after": 0}):
        with watching(base, job_id, **query) as watch:
            told = watch.everything()
        assert (types(told), ids(told)) == (STORED[seen:], [1, 2, 3, 4, 5][seen:])


@pytest.mark.parametrize("seen", [5, 6, 10**18])
def test_a_reconnect_after_the_end_is_told_that_nothing_will_come(
    door: Door, base: str, worker: HandWorker, seen: int
) -> None:
    with watching(base, ended_job(door, worker), last_event_id=seen) as watch:
        assert (watch.answer.status_code, watch.everything()) == (204, [])


def test_a_reconnect_in_the_middle_goes_on_live(door: Door, base: str, worker: HandWorker) -> None:
    job_id = door.submit()["id"]
    claimed = worker.claim()
    worker.report(claimed, 0.25)
    with watching(base, job_id, last_event_id=1) as watch:
        assert types([watch.next(), watch.next()]) == ["job.started", "job.progress"]
        worker.complete(claimed)
        assert types(watch.rest()) == ["job.completed"]


def test_somebody_who_claims_to_have_seen_the_future_still_hears_the_end(
    door: Door, base: str, worker: HandWorker
) -> None:
    job_id = door.submit()["id"]
    for query in ({"last_event_id": 10**18}, {"after": 2**31}):
        with watching(base, job_id, **query) as watch:
            claimed = worker.claim()
            assert watch.next().type == "job.started"
            worker.hand_back(claimed)
            assert watch.next().type == "job.retrying"


def test_what_failed_or_was_canceled_ends_the_stream_too(door: Door, base: str, worker: HandWorker) -> None:
    failing, canceled = (door.submit(prompt)["id"] for prompt in ("one", "two"))
    with watching(base, failing) as first, watching(base, canceled) as second:
        first.next()
        second.next()
        worker.fail(worker.claim())
        door.post(f"/api/jobs/{canceled}/cancel")
        assert first.rest()[-1].payload["error"]["code"] == "content_rejected"
        assert types(second.rest()) == ["job.canceled"]


def test_a_request_to_cancel_is_told(door: Door, base: str, worker: HandWorker) -> None:
    job_id = door.submit()["id"]
    claimed = worker.claim()
    with watching(base, job_id) as watch:
        watch.next()
        door.post(f"/api/jobs/{job_id}/cancel")
        assert watch.next().type == "job.cancel_requested"
        worker.complete(claimed)
        assert types(watch.rest()) == ["job.completed"]


def test_a_text_comes_in_pieces_and_whole_to_those_who_come_later(door: Door, base: str, worker: HandWorker) -> None:
    job_id = door.submit()["id"]
    claimed = worker.claim()
    with watching(base, job_id) as watch:
        assert watch.next().payload["text"] is None
        worker.report(claimed, 0.25, text="Ein \U0001f98a")
        assert watch.until("job.output")[-1].payload == {"offset": 0, "text": "Ein \U0001f98a"}
        worker.report(claimed, 0.5, text="Ein \U0001f98a schl\u00e4ft")
        assert watch.until("job.output")[-1].payload == {"offset": 5, "text": " schl\u00e4ft"}
        with watching(base, job_id) as late, watching(base, job_id, last_event_id=1) as back:
            assert late.next().payload["text"] == "Ein \U0001f98a schl\u00e4ft"
            assert back.until("job.output")[-1].payload == {"offset": 0, "text": "Ein \U0001f98a schl\u00e4ft"}
            worker.complete_with_text(claimed, "Ein \U0001f98a schl\u00e4ft.")
            for stream in (watch, late, back):
                piece, last = stream.rest()
                assert (piece.type, piece.payload) == ("job.output", {"offset": 13, "text": "."})
                assert (last.type, last.payload["text"]) == ("job.completed", "Ein \U0001f98a schl\u00e4ft.")


def test_who_was_cut_off_just_before_a_piece_of_text_is_told_it_later(
    door: Door, base: str, worker: HandWorker
) -> None:
    job_id = door.submit()["id"]
    claimed = worker.claim()
    worker.report(claimed, 0.25, text="Ein Fuchs")
    sequence = door.show(job_id)["sequence"]
    with watching(base, job_id, last_event_id=sequence) as watch:
        watch.next_comment()  # it has looked, and found nothing new
        worker.report(claimed, 0.5, text="Ein Fuchs schl\u00e4ft")
        assert watch.until("job.output")[-1].payload == {"offset": 0, "text": "Ein Fuchs schl\u00e4ft"}


def test_a_text_that_is_begun_anew_is_told_from_its_beginning(door: Door, base: str, worker: HandWorker) -> None:
    job_id = door.submit()["id"]
    claimed = worker.claim()
    with watching(base, job_id) as watch:
        worker.report(claimed, 0.25, text="It was a dark")
        watch.until("job.output")
        worker.hand_back(claimed)
        worker.report(worker.claim(), 0.1, text="Once")
        assert watch.until("job.output")[-1].payload == {"offset": 0, "text": "Once"}


def test_an_idle_stream_says_that_it_lives(door: Door, base: str) -> None:
    with watching(base, door.submit()["id"]) as watch:
        watch.next()
        assert {watch.next_comment().comment for _ in range(2)} == {"still here"}


def test_every_watcher_is_told_the_same(door: Door, base: str, worker: HandWorker) -> None:
    job_id = door.submit()["id"]
    with ExitStack() as stack:
        watches = [stack.enter_context(watching(base, job_id)) for _ in range(5)]
        for watch in watches:
            assert watch.next().type == "snapshot"
        claimed = worker.claim()
        for watch in watches:
            assert watch.next().type == "job.started"
        worker.complete(claimed)
        told = [watch.rest() for watch in watches]
    assert all(events == told[0] for events in told)


def test_a_burst_is_told_in_order_with_only_the_newest_progress(door: Door, base: str, worker: HandWorker) -> None:
    job_id = door.submit()["id"]
    with watching(base, job_id) as watch:
        for n in range(10):
            claimed = worker.claim()
            worker.report(claimed, n / 20)
            worker.report(claimed, n / 10)
            worker.hand_back(claimed)
        worker.complete(worker.claim())
        told = watch.rest()
    stored = [event for event in told if event.type not in ("snapshot", "job.progress")]
    assert types(stored) == ["job.started", "job.retrying"] * 10 + ["job.started", "job.completed"]
    assert ids(told) == sorted(set(ids(told)))


def test_a_reader_who_does_not_read_delays_nobody_and_loses_nothing(door: Door, base: str, worker: HandWorker) -> None:
    job_id = door.submit()["id"]
    with _silent_reader(base, job_id) as silent, watching(base, job_id) as watch:
        watch.next()
        for n in range(8):
            worker.hand_back(worker.claim(), reason=f"{n} " + "x" * 60_000)
            assert types([watch.next(), watch.next()]) == ["job.started", "job.retrying"]
        claimed: ClaimedJob = worker.claim()
        worker.complete(claimed)
        assert types(watch.rest()) == ["job.started", "job.completed"]
        assert door.get("/api/live").status_code == 200
        with silent.makefile("rb") as stream:
            text = stream.read().decode()
    order = [text.index(f'"reason":"{n} xxx') for n in range(8)]
    assert order == sorted(order)
    assert text.count("event: job.retrying\n") == 8
    assert text.count("event: job.completed\n") == 1


def test_a_server_that_stops_ends_its_streams_at_once(door: Door, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_module, "QUIET_S", 600.0)
    with watching(base, door.submit()["id"]) as watch:
        watch.next()
        door.run(stop_streams(door))
        assert watch.rest() == []


async def stop_streams(door: Door) -> None:
    """What a server does first when it stops."""
    door.safelight.stopping = True
    door.safelight.hub.wake_all()


def test_a_watcher_who_leaves_is_forgotten(door: Door, base: str) -> None:
    job_id = door.submit()["id"]
    with watching(base, job_id) as watch:
        watch.next()
        assert door.watchers(job_id) == 1
    assert door.until_nobody_watches(job_id)


@pytest.mark.parametrize(
    ("query", "status"), [("after=-1", 422), ("after=x", 422), ("after=1.5", 422), (f"after={'9' * 5_000}", 422)]
)
def test_an_odd_cursor_is_refused(door: Door, query: str, status: int) -> None:
    problem(door.get(f"/api/jobs/{door.submit()['id']}/events?{query}"), status, "invalid_params")


def test_the_events_of_no_job_are_not_found(door: Door) -> None:
    problem(door.get("/api/jobs/01890000-0000-7000-8000-000000000000/events"), 404, "not_found")


def test_the_events_of_a_job_that_was_removed_are_gone_for_who_has_seen_some(door: Door, base: str) -> None:
    job_id = door.submit()["id"]
    with watching(base, job_id) as watch:
        watch.next()
        door.hide(job_id)
        assert watch.rest() == []
    path = f"/api/jobs/{job_id}/events"
    problem(door.get(path, headers={"Last-Event-ID": "1"}), 410, "gone")
    problem(door.get(f"{path}?after=1"), 410, "gone")
    problem(door.get(path), 404, "not_found")


def test_a_reader_who_takes_nothing_for_too_long_is_let_go(
    door: Door, base: str, worker: HandWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guests, "STALLED_S", 0.2)
    job_id = door.submit()["id"]
    with _silent_reader(base, job_id):
        for n in range(8):
            worker.hand_back(worker.claim(), reason=f"{n} " + "x" * 60_000)
        assert door.until_nobody_watches(job_id)


def _silent_reader(base: str, job_id: str) -> socket.socket:
    """Asks for the events and leaves them lying in buffers as small as they can be."""
    address = urlsplit(base)
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    reader.settimeout(15)
    reader.connect((address.hostname, address.port))
    request = f"GET /api/jobs/{job_id}/events HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n\r\n"
    reader.sendall(request.encode())
    assert reader.recv(12) == b"HTTP/1.1 200"
    return reader
