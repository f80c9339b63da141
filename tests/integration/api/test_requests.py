"""What holds for every request: its id, its headers, who may call, HEAD, and an answer even to bugs."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from safelight.domain.errors import Remedy, Unavailable
from safelight.domain.ids import is_id
from safelight.store.database import Database
from tests.integration.api.problems import problem
from tests.support.door import Door

SECRET = "the number of the safe is 4711"
SOME_ID = "01890000-0000-7000-8000-000000000000"


def with_bugs(app: FastAPI) -> None:
    """Routes that crash, before and after their answer has begun."""

    def crash() -> None:
        raise KeyError(SECRET)

    async def half() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"half"
            raise KeyError(SECRET)

        return StreamingResponse(pieces())

    app.add_api_route("/crash", crash, methods=["GET", "POST"])
    app.add_api_route("/half", half)


@pytest.fixture(scope="module")
def buggy_door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("buggy")
    opened = Door(folder, f"sqlite:///{folder / 'safelight.db'}", with_bugs)
    yield opened
    opened.close()


def test_a_bug_is_answered_with_a_problem_that_tells_nothing_of_the_inside(buggy_door: Door, logs: io.StringIO) -> None:
    for method in ("GET", "POST"):
        answer = buggy_door.request(method, "/crash", headers={"X-Request-ID": f"crash-{method}"})
        problem(answer, 500, "internal")
        assert "4711" not in answer.text
        assert "KeyError" not in answer.text
        assert "Traceback" not in answer.text
        lines = [json.loads(line) for line in logs.getvalue().splitlines()]
        (crash,) = [line for line in lines if line.get("request_id") == f"crash-{method}" and line["level"] == "error"]
        assert (crash["event"], crash["path"]) == ("request_crashed", "/crash")
        assert "KeyError" in json.dumps(crash)
    assert buggy_door.get("/api/live").status_code == 200


def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(buggy_door: Door) -> None:
    with pytest.raises(KeyError):
        buggy_door.get("/half")


def test_a_database_that_is_away_is_answered_with_503_and_when_to_try_again(
    sqlite_door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise Unavailable("The database does not answer.", remedy=Remedy("Try again."))

    monkeypatch.setattr(Database, "read", away)
    answer = sqlite_door.get(f"/api/jobs/{SOME_ID}")
    problem(answer, 503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/api/live", "/api/models", "/api/nothing", "/openapi.json", "/static/x"]
)
def test_every_answer_carries_a_request_id_and_the_security_headers(shared_door: Door, path: str) -> None:
    answer = shared_door.get(path)
    assert is_id(answer.headers["X-Request-ID"])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "Server" not in answer.headers


def test_a_refusal_at_the_door_carries_them_too(shared_door: Door) -> None:
    problem(shared_door.get("/api/live", headers={"Host": "evil.example"}), 403, "forbidden")
    problem(shared_door.post("/api/jobs", content=b"{", headers={"Content-Type": "application/json"}), 400)


@pytest.mark.parametrize(
    "given", ["a", "order-7", "0123456789abcdef:7", "A" * 100, "550e8400-e29b-41d4-a716-446655440000"]
)
def test_a_request_id_comes_back_as_it_was_sent(shared_door: Door, given: str) -> None:
    assert shared_door.get("/api/live", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given", ["", " ", "a b", "A" * 101, "a\r\nSet-Cookie: x=1", "a\x00", "é", "<script>", "a;b", '"a"']
)
def test_an_odd_request_id_is_replaced(shared_door: Door, given: str) -> None:
    headers = [(b"X-Request-ID", given.encode("latin-1"))]
    assert is_id(shared_door.get("/api/live", headers=headers).headers["X-Request-ID"])


def test_the_request_id_is_on_every_log_line_of_the_request(shared_door: Door, logs: io.StringIO) -> None:
    body = shared_door.post(
        "/api/jobs", json={"kind": "image", "prompt": "a cat"}, headers={"X-Request-ID": "order-7"}
    ).json()
    line = json.loads(logs.getvalue().splitlines()[-1])
    assert (line["event"], line["path"], line["status"]) == ("request", "/api/jobs", 202)
    assert (line["request_id"], line["job_id"], line["user_id"], line["kind"]) == (
        "order-7",
        body["id"],
        "local",
        "image",
    )


def test_looking_is_logged_only_when_it_goes_wrong(shared_door: Door, logs: io.StringIO) -> None:
    shared_door.get("/api/models")
    assert logs.getvalue() == ""
    shared_door.get("/api/nothing")
    assert json.loads(logs.getvalue())["status"] == 404


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8000", "localhost:1", "LOCALHOST", "app.localhost", "[::1]:80", "127.8.9.1"]
)
def test_a_loopback_name_is_answered(shared_door: Door, host: str) -> None:
    assert shared_door.get("/api/live", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil-localhost",
        "10.0.0.7",
        "0.0.0.0",  # noqa: S104 - refused here, bound nowhere
        "[::]",
        "[fe80::1]",
        "127.1",
        "2130706433",
        "127.0.0.1@evil.example",
        "evil.example@127.0.0.1",
        "127.0.0.1/evil",
        "127.0.0.1#evil",
        "127.0.0.1:80:80",
        "127.0.0.1:port",
        "127.0.0.1:999999",
        "[::1",
        "::1",
        "127.0.0.1 evil.example",
        "",
    ],
)
def test_a_foreign_host_is_refused_on_every_method(shared_door: Door, host: str) -> None:
    for method, path in (("GET", "/api/jobs"), ("POST", "/api/jobs"), ("GET", "/"), ("GET", "/static/index.html")):
        problem(shared_door.request(method, path, headers={"Host": host}), 403, "forbidden")


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://evil.example:8000",
        "null",
        "",
        "http://127.0.0.1:8001",
        "http://localhost:8000",
        "http://127.0.0.1:8000.evil.example",
        "http://evil.example/?http://127.0.0.1:8000",
        "http://x@127.0.0.1:8000",
        "file://",
        "http://[",
        "http://127.0.0.1:8000 http://evil.example",
    ],
)
def test_a_foreign_origin_is_refused_on_every_method(shared_door: Door, origin: str) -> None:
    headers = {"Host": "127.0.0.1:8000", "Origin": origin}
    for method, path in (("GET", "/api/jobs"), ("POST", "/api/jobs"), ("OPTIONS", "/api/jobs"), ("GET", "/api/live")):
        answer = shared_door.request(method, path, headers=headers)
        problem(answer, 403, "forbidden")
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_behind_a_proxy_its_name_and_its_pages_are_our_own(tmp_path: Path, sqlite_url: str) -> None:
    door = Door(tmp_path, sqlite_url, public_url="https://pictures.example.org")
    try:
        own = {"Origin": "https://pictures.example.org"}
        for host in ("pictures.example.org", "127.0.0.1:8000"):
            answer = door.post("/api/jobs", json={"kind": "image", "prompt": "a"}, headers={"Host": host, **own})
            assert answer.status_code == 202
            assert answer.json()["urls"]["self"].startswith("https://pictures.example.org/api/jobs/")
        problem(door.get("/api/models", headers={"Host": "evil.example.org"}), 403)
        foreign = {"Host": "pictures.example.org", "Origin": "https://evil.example.org"}
        problem(door.post("/api/jobs", json={"kind": "image", "prompt": "a"}, headers=foreign), 403)
    finally:
        door.close()


def test_our_own_origin_is_welcome(shared_door: Door) -> None:
    for host in ("127.0.0.1:8000", "localhost:8000", "[::1]:8000"):
        headers = {"Host": host, "Origin": f"http://{host}"}
        assert shared_door.post("/api/jobs", json={"kind": "image", "prompt": "x"}, headers=headers).status_code == 202


@pytest.mark.parametrize("path", ["/", "/api/live", "/api/jobs", "/api/models", "/openapi.json", "/static/index.html"])
def test_head_has_the_headers_of_get_and_no_body(shared_door: Door, path: str) -> None:
    got, head = shared_door.get(path), shared_door.request("HEAD", path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    for name in ("Content-Type", "ETag", "Cache-Control"):
        assert head.headers.get(name) == got.headers.get(name)


def test_head_of_nothing_is_not_found(shared_door: Door) -> None:
    assert shared_door.request("HEAD", f"/api/jobs/{SOME_ID}").status_code == 404


def test_head_of_a_stream_of_events_ends_at_its_headers(shared_door: Door) -> None:
    answer = shared_door.request("HEAD", f"/api/jobs/{shared_door.submit()['id']}/events")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Type"].startswith("text/event-stream")


def test_an_address_with_a_slash_too_many_leads_to_the_right_one(shared_door: Door) -> None:
    answer = shared_door.get("/api/models/")
    assert (answer.status_code, answer.headers["Location"]) == (307, "http://127.0.0.1/api/models")


def test_no_page_of_the_studio_loads_anything_from_elsewhere(shared_door: Door) -> None:
    for path in ("/", f"/jobs/{SOME_ID}", "/docs"):
        answer = shared_door.get(path)
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "http://" not in answer.text.replace("http://www.w3.org", "")
        assert "https://" not in answer.text


def test_files_of_the_studio_are_asked_for_again_after_an_upgrade(shared_door: Door) -> None:
    answer = shared_door.get("/static/index.html")
    assert answer.headers["Cache-Control"] == "no-cache"
    same = shared_door.get("/static/index.html", headers={"If-None-Match": answer.headers["ETag"]})
    assert same.status_code == 304
