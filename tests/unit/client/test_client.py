"""The calls: what is sent, what is repeated, and how refusals read."""

from __future__ import annotations

import io
import json
from typing import Any

import httpx
import pytest

from safelight.client import Client, ClientError, ServerUnreachable
from tests.unit.client.stand_in import JOB_ID, Server, job, problem

REFUSED = httpx.ConnectError("refused")
CUT = httpx.RemoteProtocolError("peer closed connection")


async def submit(client: Client) -> dict[str, Any]:
    return await client.submit("image", "a boat", params={"seed": 1})


def test_only_what_was_given_is_sent() -> None:
    server = Server(httpx.Response(202, json=job()))
    assert server.run(submit)["id"] == JOB_ID
    assert json.loads(server.requests[0].content) == {"kind": "image", "prompt": "a boat", "params": {"seed": 1}}


def test_a_submit_that_broke_off_is_repeated_under_the_same_key() -> None:
    server = Server(CUT, REFUSED, httpx.Response(202, json=job()))
    server.run(submit)
    keys = [request.headers["Idempotency-Key"] for request in server.requests]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert 0 < server.pauses[0] < server.pauses[1]


def test_two_submits_have_different_keys() -> None:
    server = Server(httpx.Response(202, json=job()), httpx.Response(202, json=job()))
    server.run(submit)
    server.run(submit)
    assert server.requests[0].headers["Idempotency-Key"] != server.requests[1].headers["Idempotency-Key"]


def test_repeating_ends_after_three_tries_and_says_what_to_do() -> None:
    server = Server(REFUSED, REFUSED, REFUSED)
    with pytest.raises(ServerUnreachable, match="No answer from http://here") as caught:
        server.run(submit)
    assert "safelight serve" in caught.value.remedy


def test_a_time_out_says_so() -> None:
    server = Server(*[httpx.ReadTimeout("")] * 3)
    with pytest.raises(ServerUnreachable, match="took too long"):
        server.run(lambda client: client.job(JOB_ID))


def test_a_cancel_is_sent_once() -> None:
    server = Server(CUT)
    with pytest.raises(ServerUnreachable):
        server.run(lambda client: client.cancel(JOB_ID))
    assert len(server.requests) == 1


def test_a_refusal_is_never_repeated() -> None:
    server = Server(problem(503, "unavailable"))
    with pytest.raises(ClientError):
        server.run(submit)
    assert len(server.requests) == 1


def test_a_problem_becomes_an_error_with_all_it_says() -> None:
    answer = problem(422, "invalid_params", errors={"params.width": ["too large"]}, supported=["a"])
    answer.headers["Retry-After"] = "7"
    with pytest.raises(ClientError) as caught:
        Server(answer).run(submit)
    error = caught.value
    assert (error.status, error.code, error.detail, error.remedy) == (
        422,
        "invalid_params",
        "It went wrong.",
        "Do this.",
    )
    assert error.errors == {"params.width": ["too large"]}
    assert (error.request_id, error.retry_after_s, error.problem["supported"]) == ("r-1", 7.0, ["a"])


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(502, text="<h1>Bad Gateway</h1>"),
        httpx.Response(404, json={"message": "other"}),
        httpx.Response(200, text="hello"),
        httpx.Response(200, json=[1]),
        httpx.Response(307, headers={"Location": "http://elsewhere/"}),
    ],
)
def test_an_answer_that_is_not_safelights_is_called_so(answer: httpx.Response) -> None:
    with pytest.raises(ClientError, match="not in Safelight's form") as caught:
        Server(answer).run(lambda client: client.job(JOB_ID))
    assert caught.value.code == "not_safelight"


def test_pages_follow_each_other_until_there_is_no_cursor() -> None:
    server = Server(
        httpx.Response(200, json={"jobs": [job(sequence=1), job(sequence=2)], "nextCursor": "c 1"}),
        httpx.Response(200, json={"jobs": [job(sequence=3)], "nextCursor": None}),
    )

    async def all_jobs(client: Client) -> list[int]:
        return [found["sequence"] async for found in client.all_jobs(status="pending")]

    assert server.run(all_jobs) == [1, 2, 3]
    assert dict(server.requests[1].url.params) == {"limit": "200", "cursor": "c 1", "status": "pending"}


def test_every_request_has_explicit_time_outs() -> None:
    server = Server(httpx.Response(200, json=job()))
    server.run(lambda client: client.job(JOB_ID))
    assert None not in server.requests[0].extensions["timeout"].values()


def test_a_download_goes_into_the_file_and_follows_to_an_object_store_without_the_key() -> None:
    server = Server(
        httpx.Response(307, headers={"Location": "https://store/bytes"}), httpx.Response(200, content=b"picture")
    )
    to = io.BytesIO()
    assert server.run(lambda client: client.download("http://here/api/assets/a?sig=s", to)) == 7
    assert to.getvalue() == b"picture"
    assert "Authorization" in server.requests[0].headers
    assert "Authorization" not in server.requests[1].headers


def test_an_asset_on_another_host_does_not_get_our_key() -> None:
    server = Server(httpx.Response(200, content=b"picture"))
    server.run(lambda client: client.download("https://public.example/api/assets/a?sig=s", io.BytesIO()))
    assert "Authorization" not in server.requests[0].headers


def test_a_download_that_is_refused_says_why() -> None:
    with pytest.raises(ClientError, match="It went wrong"):
        Server(problem(410, "gone")).run(lambda client: client.download("http://here/x", io.BytesIO()))


@pytest.mark.parametrize("address", ["", "localhost:8000", "ftp://here", "http://", "http://here:port", "/path"])
def test_an_address_that_is_none_is_refused_at_once(address: str) -> None:
    with pytest.raises(ClientError, match="not the address of a server"):
        Client.connect(address)


def test_an_upload_is_a_form_with_one_file_and_is_repeated() -> None:
    server = Server(CUT, httpx.Response(201, json={"id": "u-1"}))
    assert server.run(lambda client: client.upload(b"the bytes"))["id"] == "u-1"
    for request in server.requests:
        assert request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
        assert b'name="file"' in request.content
        assert b"the bytes" in request.content


def test_an_upload_that_is_used_is_not_taken_back() -> None:
    server = Server(problem(409, "conflict"))
    with pytest.raises(ClientError, match="It went wrong"):
        server.run(lambda client: client.remove_upload("u-1"))
    assert server.requests[0].url.path == "/api/uploads/u-1"
