"""Server-sent events of one job: a snapshot first, then every event after it, until the last."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Message, Send

from safelight.api import guests
from safelight.api.context import Installation, Onlooker, still_welcome
from safelight.api.topics import Watching, job_news, watched
from safelight.api.wording import Worded
from safelight.domain.clock import local_s
from safelight.domain.errors import Gone, InvalidParams, NotFound
from safelight.domain.jobs import LIVE

router = APIRouter(tags=["live"])

COMMENT_EVERY_S = 15.0
LOOKS = 3
"""A bell without news begins the quiet anew; so often within that time it is looked whether a comment is due."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get(
    "/api/jobs/{job_id}/events",
    summary="Watch a job",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"text/event-stream": {}}},
        204: {"description": "Nothing will come any more"},
        410: {"description": "With a cursor: the job was removed"},
    },
)
async def watch_job(
    job_id: str,
    request: Request,
    safelight: Installation,
    caller: Onlooker,
    after: Annotated[int | None, Query(ge=0, le=2**31, description="Stored events after this sequence.")] = None,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=20)] = None,
) -> Response:
    """Without a cursor: a snapshot, then news. With one (`Last-Event-ID`, or `after`): what came after it."""
    seen = _seen(last_event_id, after)
    details = await watched(safelight, job_id, caller, seen)
    cursor = None if seen is None else min(seen, details.job.sequence)  # nobody has seen more than there is
    ended = details.job.status not in LIVE
    if ended and cursor is not None and cursor >= details.job.sequence:
        return Response(status_code=204)
    watching = Watching(safelight, request.app.state.wording, caller)
    comment_every_s: float = request.app.state.comment_every_s
    welcome = partial(still_welcome, request, caller)
    news = job_news(watching, details, cursor, comment_every_s / LOOKS)
    stream = _stream(news, comment_every_s, welcome)
    return _EventStream(stream, headers=HEADERS, media_type="text/event-stream")


class _EventStream(StreamingResponse):
    async def stream_response(self, send: Send) -> None:
        """Lets go of a reader that takes nothing for too long: it comes back and is told what it has missed."""

        async def in_time(message: Message) -> None:
            async with asyncio.timeout(guests.STALLED_S):
                await send(message)

        with suppress(TimeoutError):
            await super().stream_response(in_time)


def _seen(last_event_id: str | None, after: int | None) -> int | None:
    """A reconnect knows better than the address it first connected to."""
    if last_event_id is None or last_event_id == "":
        return after
    if not last_event_id.isdecimal():
        text = "must be the id of an earlier event"
        raise InvalidParams(f"Last-Event-ID: {text}", errors={"Last-Event-ID": [text]})
    return int(last_event_id)


async def _stream(
    news: AsyncIterator[Worded | None], comment_every_s: float, welcome: Callable[[], Awaitable[bool]]
) -> AsyncIterator[str]:
    """Ends before its time where the job is removed, or whoever listens may no longer: who comes back is told why."""
    spoken_at = looked_at = local_s()
    with suppress(NotFound, Gone):
        async for worded in news:
            if local_s() - looked_at >= comment_every_s:
                looked_at = local_s()
                if not await welcome():
                    return
            if worded is not None:
                spoken_at = local_s()
                yield f"event: {worded.type}\nid: {worded.sequence}\ndata: {worded.json}\n\n"
            elif local_s() - spoken_at >= comment_every_s:
                spoken_at = local_s()
                yield ": still here\n\n"
