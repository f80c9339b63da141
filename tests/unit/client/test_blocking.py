"""The client without asyncio: every method of the other one, from the same source."""

from __future__ import annotations

import inspect
import io
import threading
from collections.abc import Iterator

import httpx
import pytest

from safelight.client import BlockingClient, Client, ClientError
from tests.unit.client.stand_in import JOB_ID, Server, envelope, job, problem, stream

OF_EACH_KIND = {"connect", "close"}


def blocking(server: Server) -> BlockingClient:
    def connect() -> Client:
        http = httpx.AsyncClient(transport=httpx.MockTransport(server), base_url="http://here")
        return Client(http, sleep=server.sleep)

    return BlockingClient(connect)


@pytest.fixture
def no_thread_left() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def test_every_method_of_the_client_is_there() -> None:
    methods = {name for name, _ in inspect.getmembers(Client, inspect.isroutine) if not name.startswith("_")}
    assert methods - OF_EACH_KIND <= set(vars(BlockingClient))


@pytest.mark.usefixtures("no_thread_left")
def test_a_call_returns_what_the_server_says() -> None:
    server = Server(httpx.Response(202, json=job()), httpx.Response(200, json=job("completed")))
    with blocking(server) as client:
        made = client.submit("image", "a boat", params={"seed": 1})
        assert client.job(made["id"])["status"] == "completed"
    assert "Idempotency-Key" in server.requests[0].headers


def test_refusals_are_raised_where_the_call_was_made() -> None:
    with blocking(Server(problem(402, "insufficient_credits"))) as client, pytest.raises(ClientError) as caught:
        client.submit("image", "a boat")
    assert caught.value.code == "insufficient_credits"


def test_events_come_one_by_one() -> None:
    told = stream(envelope("snapshot", 1, job()), envelope("job.started", 2), envelope("job.completed", 3, job()))
    with blocking(Server(told)) as client:
        assert [event.type for event in client.events(JOB_ID)] == ["snapshot", "job.started", "job.completed"]


@pytest.mark.usefixtures("no_thread_left")
def test_leaving_a_stream_early_closes_its_connection() -> None:
    with blocking(Server(stream(envelope("snapshot", 1, job()), None))) as client:
        for event in client.events(JOB_ID):
            assert event.type == "snapshot"
            break


def test_all_jobs_are_read_page_by_page() -> None:
    pages = [{"jobs": [job()], "nextCursor": "c"}, {"jobs": [job(sequence=2)], "nextCursor": None}]
    server = Server(*(httpx.Response(200, json=page) for page in pages))
    with blocking(server) as client:
        assert [found["sequence"] for found in client.all_jobs(status="pending")] == [1, 2]
    assert [request.url.params.get("cursor") for request in server.requests] == [None, "c"]


def test_a_wait_that_takes_too_long_says_so() -> None:
    with blocking(Server(stream(envelope("snapshot", 1, job()), None))) as client, pytest.raises(TimeoutError):
        client.wait(JOB_ID, timeout_s=0.05)


def test_bytes_are_written_where_they_are_wanted() -> None:
    to = io.BytesIO()
    with blocking(Server(httpx.Response(200, content=b"picture"))) as client:
        assert client.download("http://here/api/assets/1", to) == 7
    assert to.getvalue() == b"picture"


def test_threads_share_one_client() -> None:
    server, found = Server(*(httpx.Response(200, json=job()) for _ in range(8))), []
    with blocking(server) as client:
        threads = [threading.Thread(target=lambda: found.append(client.job(JOB_ID)["id"])) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert found == [JOB_ID] * 8


def test_a_closed_client_says_that_it_is_closed() -> None:
    client = blocking(Server())
    client.close()
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.job(JOB_ID)


@pytest.mark.usefixtures("no_thread_left")
def test_a_bad_address_leaves_no_thread_behind() -> None:
    with pytest.raises(ClientError, match="not the address"):
        BlockingClient.connect("ftp://there")
