"""Follow a job's events over SSE: reconnect where it broke off, and poll where nothing streams."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import httpx

from safelight.client.calls import TIMEOUT, Caller
from safelight.client.errors import ClientError, ServerUnreachable, refused, unreachable
from safelight.client.events import Event, read_envelope
from safelight.client.poll import poll
from safelight.client.sse import SseParser

SILENCE_S = 45.0
"""The server comments every 15 s; three missed ones mean that the connection is dead."""
STREAM_TIMEOUT = httpx.Timeout(connect=TIMEOUT.connect, read=SILENCE_S, write=TIMEOUT.write, pool=TIMEOUT.pool)
MAX_FAILURES = 10
"""Connections in a row that brought no news, before giving up: about a minute."""
LATER = frozenset({429, 502, 503, 504})
NOT_OFFERED = frozenset({405, 406, 501})


async def follow(caller: Caller, job_id: str, after: int | None) -> AsyncGenerator[Event]:
    """Every event after sequence `after` (default: first a snapshot), until the job has ended.

    After a reconnect, news older than what was seen is dropped; the newest event may come twice.
    """
    seen, failures = after, 0
    while True:
        try:
            async with _connect(caller, job_id, seen) as response:
                if response.status_code == httpx.codes.NO_CONTENT:
                    return
                if not _streams(response):
                    break
                async for event in _read(response, not_before=seen):
                    failures, seen = 0, event.sequence
                    yield event
                    if event.is_last:
                        return
            failure: ClientError = ServerUnreachable(str(response.url), "it closes the event stream without a word")
        except httpx.TransportError as error:
            failure = unreachable(error)
        except ClientError as error:
            if error.status not in LATER:
                raise
            failure = error
        failures += 1
        if failures == MAX_FAILURES:
            raise failure
        await caller.sleep(failure.retry_after_s or caller.pause_s(failures))
    async for event in poll(caller, job_id, seen):
        yield event


@asynccontextmanager
async def _connect(caller: Caller, job_id: str, seen: int | None) -> AsyncIterator[httpx.Response]:
    """The open answer, which may also be a refusal to stream. Raises for other refusals."""
    headers = {"Accept": "text/event-stream"} | ({} if seen is None else {"Last-Event-ID": str(seen)})
    path = f"/api/jobs/{job_id}/events"
    async with caller.http.stream("GET", path, headers=headers, timeout=STREAM_TIMEOUT) as response:
        if not response.is_success and response.status_code not in NOT_OFFERED:
            await response.aread()
            raise refused(response)
        yield response


def _streams(response: httpx.Response) -> bool:
    return response.is_success and response.headers.get("Content-Type", "").startswith("text/event-stream")


async def _read(response: httpx.Response, not_before: int | None) -> AsyncIterator[Event]:
    parser = SseParser()
    async for chunk in response.aiter_bytes():
        for message in parser.feed(chunk):
            event = read_envelope(message.data)
            if event is not None and (not_before is None or event.sequence >= not_before):
                yield event
