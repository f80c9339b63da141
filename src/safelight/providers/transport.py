"""How a paid request leaves this process: once, on a fresh connection, and only while the lease is held.

A kept connection may have been closed by the other side just now; then nobody could tell whether the request was read.
On a fresh one a failure before the first byte is proof that nothing was sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from json import dumps
from typing import Any

import httpx

from safelight.net.certificates import tls
from safelight.providers.protocol import NotSent
from safelight.providers.whole import MOST_ANSWER_BYTES, whole

FIRST_BYTE = "http11.send_request_headers.started"
"""httpcore's name of the moment, in its trace extension."""
CONNECT_WITHIN_S = 10.0

JSON = {"Content-Type": "application/json"}

FormFile = tuple[str, tuple[str, bytes, str]]
"""A field's name, and the file's name, bytes and MIME type. A name may come several times."""


async def post_once(
    url: str,
    *,
    may_send: Callable[[], bool],
    timeout_s: float,
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    content: bytes | None = None,
    form: Mapping[str, str] | None = None,
    files: Sequence[FormFile] | None = None,
    limit_bytes: int = MOST_ANSWER_BYTES,
) -> httpx.Response:
    """POST a paid request. Raises NotSent if it certainly did not leave, else httpx's error: then nobody knows.

    Redirects are not followed and nothing is tried again. `form` and `files` make a multipart body. An answer of more
    than `limit_bytes` is an error.
    """
    patience = httpx.Timeout(timeout_s, connect=min(timeout_s, CONNECT_WITHIN_S))
    if json is not None:
        headers, content = {**JSON, **(headers or {})}, await _json_bytes(json)
    body: dict[str, Any] = {"content": content, "data": form, "files": files}
    async with _fresh_client(url, patience) as client:
        request = client.build_request("POST", url, headers=headers, extensions=_asking(may_send), **body)
        async with _sent(client, request) as answer:
            return await whole(answer, limit_bytes)


@asynccontextmanager
async def stream_once(
    url: str,
    *,
    may_send: Callable[[], bool],
    idle_s: float,
    timeout_s: float,
    headers: Mapping[str, str] | None = None,
    json: Any = None,
) -> AsyncIterator[httpx.Response]:
    """The same for an answer that is read as it comes: at most `idle_s` between two pieces, `timeout_s` over all.

    Raises TimeoutError after `timeout_s`. To leave the block closes the connection, whatever is still to come.
    """
    pauses = httpx.Timeout(idle_s, connect=min(idle_s, CONNECT_WITHIN_S))
    async with asyncio.timeout(timeout_s), _fresh_client(url, pauses) as client:
        given, body = {**JSON, **(headers or {})}, await _json_bytes(json)
        request = client.build_request("POST", url, headers=given, content=body, extensions=_asking(may_send))
        async with _sent(client, request) as answer:
            yield answer


async def _json_bytes(body: Any) -> bytes:
    """As httpx writes it, in a thread: with pictures in it that takes long enough for others to notice."""
    return await asyncio.to_thread(_written, body)


def _written(body: Any) -> bytes:
    return dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


@asynccontextmanager
async def _sent(client: httpx.AsyncClient, request: httpx.Request) -> AsyncIterator[httpx.Response]:
    """The answer, whose bytes are still to come. Raises NotSent where there is no connection."""
    try:
        answer = await client.send(request, stream=True)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise NotSent(f"no connection: {error}") from error
    try:
        yield answer
    finally:
        await answer.aclose()


@asynccontextmanager
async def _fresh_client(url: str, patience: httpx.Timeout) -> AsyncIterator[httpx.AsyncClient]:
    certificates = await asyncio.to_thread(tls) if url.startswith("https:") else False
    transport = httpx.AsyncHTTPTransport(verify=certificates, http2=False, retries=0)
    async with httpx.AsyncClient(transport=transport, timeout=patience, follow_redirects=False) as client:
        yield client


def _asking(may_send: Callable[[], bool]) -> dict[str, Any]:
    """httpx's extensions with which the lease is looked at immediately before the first byte."""

    async def trace(event: str, _info: Mapping[str, Any]) -> None:
        if event == FIRST_BYTE and not may_send():
            raise NotSent("the worker had lost its lease before the request was sent")

    return {"trace": trace}
