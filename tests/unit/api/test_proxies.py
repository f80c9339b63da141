"""What is believed of a proxy, and where a mounted application finds itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request

from safelight.api.proxies import BehindProxy, read_networks

PROXY = "10.0.0.1"


def seen(
    *headers: tuple[str, str],
    client: str = PROXY,
    path: str = "/api/jobs",
    public_url: str | None = None,
    kind: str = "http",
) -> Any:
    """The scope as the application sees it."""
    found: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found.append(scope)

    scope = {
        "type": kind,
        "scheme": "http" if kind == "http" else "ws",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "client": (client, 4711),
        "server": ("127.0.0.1", 8000),
        "headers": [(b"host", b"inner:8000"), *((n.encode(), v.encode()) for n, v in headers)],
    }
    proxy = BehindProxy(app, read_networks([PROXY, "192.168.0.0/16"]), public_url)
    asyncio.run(proxy(scope, None, None))  # type: ignore[arg-type]
    return found[0]


SAID = [
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "pictures.example.org"),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-forwarded-prefix", "/safelight"),
]


def test_a_trusted_proxy_is_believed() -> None:
    scope = seen(*SAID)
    assert str(Request(scope).base_url) == "https://pictures.example.org/safelight/"
    assert (scope["client"][0], scope["root_path"], scope["path"]) == (
        "203.0.113.7",
        "/safelight",
        "/safelight/api/jobs",
    )


def test_anybody_else_is_not() -> None:
    scope = seen(*SAID, client="203.0.113.9")
    assert str(Request(scope).base_url) == "http://inner:8000/"
    assert (scope["client"][0], scope["path"]) == ("203.0.113.9", "/api/jobs")


def test_a_path_that_the_proxy_leaves_is_not_doubled() -> None:
    scope = seen(*SAID, path="/safelight/api/jobs")
    assert (scope["root_path"], scope["path"]) == ("/safelight", "/safelight/api/jobs")


def test_a_public_url_with_a_path_is_enough_where_the_path_is_left() -> None:
    public = "https://pictures.example.org/safelight"
    scope = seen(path="/safelight/api/jobs", public_url=public, client="203.0.113.9")
    assert (scope["root_path"], scope["path"]) == ("/safelight", "/safelight/api/jobs")
    assert seen(path="/safelights/api", public_url=public).get("root_path", "") == ""
    assert seen(path="/api/jobs", public_url=public).get("root_path", "") == ""


def test_sockets_are_secure_where_the_page_is() -> None:
    assert seen(*SAID, kind="websocket")["scheme"] == "wss"


@pytest.mark.parametrize(
    ("hops", "caller"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("6.6.6.6, 203.0.113.7, 192.168.1.1", "203.0.113.7"),
        ("192.168.1.1", "192.168.1.1"),
        ("6.6.6.6, nonsense", PROXY),
        ("", PROXY),
    ],
)
def test_the_caller_is_the_last_one_that_is_no_proxy(hops: str, caller: str) -> None:
    assert seen(("x-forwarded-for", hops))["client"][0] == caller


@pytest.mark.parametrize(
    "header",
    [
        ("x-forwarded-host", "a b"),
        ("x-forwarded-host", "evil.example/path"),
        ("x-forwarded-proto", "javascript"),
        ("x-forwarded-prefix", "//evil.example"),
        ("x-forwarded-prefix", "/../.."),
        ("x-forwarded-prefix", "safelight"),
    ],
)
def test_nonsense_of_a_trusted_proxy_changes_nothing(header: tuple[str, str]) -> None:
    assert str(Request(seen(header)).base_url) == "http://inner:8000/"
