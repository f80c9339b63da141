"""Events: over a stream that breaks, and by polling where nothing streams."""

from __future__ import annotations

import httpx
import pytest

from safelight.client import Client, ClientError, Event, ServerUnreachable
from safelight.client.follow import MAX_FAILURES
from tests.unit.client.stand_in import JOB_ID, Server, envelope, job, problem, stream

CUT = httpx.ReadError("cut")
SNAPSHOT = envelope("snapshot", 1, job())
STARTED = envelope("job.started", 2)
PROGRESS = envelope("job.progress", 5, {"progress": 0.5})
COMPLETED = envelope("job.completed", 9, job("completed", 9))
OVER = httpx.Response(204)


async def events(client: Client) -> list[Event]:
    return [event async for event in client.events(JOB_ID)]


def types(server: Server) -> list[str]:
    return [event.type for event in server.run(events)]


def resumed_at(server: Server) -> list[str | None]:
    return [request.headers.get("Last-Event-ID") for request in server.requests]


def test_a_stream_is_read_to_the_event_that_ends_the_job() -> None:
    server = Server(stream(SNAPSHOT, b": still here\n\n", STARTED[:9], STARTED[9:] + PROGRESS, COMPLETED))
    assert types(server) == ["snapshot", "job.started", "job.progress", "job.completed"]


def test_a_snapshot_of_an_ended_job_is_the_last_event() -> None:
    assert types(Server(stream(envelope("snapshot", 9, job("failed", 9))))) == ["snapshot"]


def test_a_broken_stream_goes_on_after_the_last_event_seen() -> None:
    server = Server(stream(SNAPSHOT, STARTED, CUT), stream(PROGRESS), CUT, stream(COMPLETED))
    assert types(server) == ["snapshot", "job.started", "job.progress", "job.completed"]
    assert resumed_at(server) == [None, "2", "5", "5"]
    assert len(server.pauses) == 3


def test_news_older_than_what_was_seen_is_dropped() -> None:
    server = Server(stream(SNAPSHOT, PROGRESS, CUT), stream(STARTED, COMPLETED))
    assert types(server) == ["snapshot", "job.progress", "job.completed"]


def test_nothing_more_after_the_end_is_no_error() -> None:
    assert types(Server(stream(SNAPSHOT, CUT), OVER)) == ["snapshot"]


def test_a_server_that_restarts_is_waited_for() -> None:
    busy = problem(503, "unavailable")
    busy.headers["Retry-After"] = "3"
    server = Server(stream(SNAPSHOT), busy, httpx.ConnectError("refused"), stream(COMPLETED))
    assert types(server) == ["snapshot", "job.completed"]
    assert 3.0 in server.pauses


def test_waiting_for_a_server_has_an_end() -> None:
    server = Server(*[CUT] * MAX_FAILURES)
    with pytest.raises(ServerUnreachable):
        server.run(events)
    assert sum(server.pauses) < 120


def test_a_stream_that_closes_again_and_again_without_a_word_has_an_end() -> None:
    with pytest.raises(ServerUnreachable, match="without a word"):
        Server(*[stream() for _ in range(MAX_FAILURES)]).run(events)


def test_a_job_that_does_not_exist_is_no_reason_to_try_again() -> None:
    server = Server(problem(404, "not_found"))
    with pytest.raises(ClientError) as caught:
        server.run(events)
    assert caught.value.code == "not_found"


def test_what_is_no_envelope_is_passed_over() -> None:
    assert types(Server(stream(b"data: [1]\n\ndata: nonsense\n\n", COMPLETED))) == ["job.completed"]


def test_where_nothing_streams_the_job_is_polled() -> None:
    server = Server(
        httpx.Response(406),
        httpx.Response(202, json=job(sequence=1), headers={"ETag": 'W/"1"'}),
        httpx.Response(304),
        httpx.Response(200, json=job("completed", 9)),
    )
    assert types(server) == ["snapshot", "snapshot"]
    assert [request.headers.get("If-None-Match") for request in server.requests] == [None, None, 'W/"1"', 'W/"1"']


def test_a_transport_that_cannot_stream_is_not_asked_to() -> None:
    server = Server(httpx.Response(200, json=job("completed", 9)))
    assert [event.type for event in server.run(events, streams=False)] == ["snapshot"]
    assert server.requests[0].url.path == f"/api/jobs/{JOB_ID}"


def test_polling_slows_down_while_nothing_changes_and_speeds_up_again() -> None:
    same = httpx.Response(202, json=job(sequence=1))
    server = Server(*[same] * 12, httpx.Response(202, json=job(sequence=2)), httpx.Response(200, json=job("failed", 3)))
    server.run(events, streams=False)
    assert server.pauses[0] == server.pauses[-1] == pytest.approx(0.1)
    assert max(server.pauses) == pytest.approx(2.0)


def test_wait_gives_the_body_of_the_ended_job() -> None:
    server = Server(stream(SNAPSHOT, COMPLETED), httpx.Response(200, json=job("completed", 9)))
    assert server.run(lambda client: client.wait(JOB_ID))["status"] == "completed"


def test_wait_gives_up_after_its_time_out() -> None:
    with pytest.raises(TimeoutError):
        Server(stream(SNAPSHOT, None)).run(lambda client: client.wait(JOB_ID, timeout_s=0.05))


def test_the_history_of_an_ended_job_is_asked_for_from_the_beginning() -> None:
    server = Server(stream(STARTED, COMPLETED))
    found = server.run(lambda client: client.history(job("completed", 9)))
    assert [event.type for event in found] == ["job.started", "job.completed"]
    assert resumed_at(server) == ["0"]


def test_the_history_of_a_job_that_lives_on_ends_where_nothing_more_comes() -> None:
    found = Server(stream(STARTED, None)).run(lambda client: client.history(job("processing", 2)))
    assert [event.type for event in found] == ["job.started"]
