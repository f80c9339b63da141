"""A stand-in for the server: answers queued by the test, requests kept for it to look at. No sockets, no waiting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

import httpx

from safelight.client import Client

JOB_ID = "0199a2c4-0000-7000-8000-00000000abcd"

Answer = httpx.Response | Exception


class Server:
    """Give it answers in order; an exception stands for a connection that fails."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def run(self, use: Callable[[Client], Coroutine[Any, Any, Any]], *, streams: bool = True) -> Any:
        """Run the test's coroutine with a client of this server."""

        async def go() -> Any:
            transport = httpx.MockTransport(self)
            headers = {"Authorization": "Bearer secret-key"}
            async with httpx.AsyncClient(transport=transport, base_url="http://here", headers=headers) as http:
                return await use(Client(http, streams=streams, sleep=self.sleep))

        return asyncio.run(go())


def job(status: str = "pending", sequence: int = 1, **more: Any) -> dict[str, Any]:
    """A job's body with what most tests look at."""
    known = {"id": JOB_ID, "status": status, "sequence": sequence, "created_at": "2026-01-02T03:04:05.000Z"}
    return known | {"started_at": None, "finished_at": None} | more


def envelope(type_: str, sequence: int, payload: dict[str, Any] | None = None) -> bytes:
    """One event as the server writes it."""
    at = "2026-01-02T03:04:05.000Z"
    data = {"type": type_, "job_id": JOB_ID, "sequence": sequence, "at": at, "payload": payload or {}}
    return f"event: {type_}\nid: {sequence}\ndata: {json.dumps(data)}\n\n".encode()


def stream(*chunks: bytes | Exception | None) -> httpx.Response:
    """An event stream; an exception among the chunks breaks it there, `None` is silence for ever."""
    return httpx.Response(200, headers={"Content-Type": "text/event-stream; charset=utf-8"}, content=_pieces(chunks))


async def _pieces(chunks: Sequence[bytes | Exception | None]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        if isinstance(chunk, Exception):
            raise chunk
        if chunk is None:
            await asyncio.Event().wait()
        else:
            yield chunk


def problem(status: int, code: str, **more: Any) -> httpx.Response:
    body = {"type": "about:blank", "title": "T", "status": status, "detail": "It went wrong.", "code": code}
    return httpx.Response(status, json=body | {"remedy": "Do this.", "request_id": "r-1"} | more)
