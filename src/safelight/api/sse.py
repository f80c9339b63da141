"""Server-sent events of one job: a snapshot first, then every event after it, until the last."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from safelight.api.context import Installation, Onlooker, still_welcome
from safelight.api.topics import Watching, job_news
from safelight.api.wording import Worded
from safelight.domain.clock import local_s
from safelight.domain.errors import InvalidParams
from safelight.domain.jobs import LIVE

router = APIRouter(tags=["live"])

COMMENT_EVERY_S = 15.0
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get(
    "/api/jobs/{job_id}/events",
    summary="Watch a job",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}, 204: {"description": "Nothing will come any more"}},
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
    details = await safelight.desk.job(job_id, caller.user_id)
    cursor = _cursor(last_event_id, after, details.job.sequence)
    ended = details.job.status not in LIVE
    if ended and cursor is not None and cursor >= details.job.sequence:
        return Response(status_code=204)
    watching = Watching(safelight, request.app.state.wording, caller)
    comment_every_s: float = request.app.state.comment_every_s
    welcome = partial(still_welcome, request, caller)
    stream = _stream(job_news(watching, details, cursor, comment_every_s), comment_every_s, welcome)
    return StreamingResponse(stream, headers=HEADERS, media_type="text/event-stream")


def _cursor(last_event_id: str | None, after: int | None, newest: int) -> int | None:
    """A reconnect knows better than the address it first connected to. Nobody has seen more than there is."""
    if last_event_id is None or last_event_id == "":
        return None if after is None else min(after, newest)
    if not last_event_id.isdecimal():
        text = "must be the id of an earlier event"
        raise InvalidParams(f"Last-Event-ID: {text}", errors={"Last-Event-ID": [text]})
    return min(int(last_event_id), newest)


async def _stream(
    news: AsyncIterator[Worded | None], comment_every_s: float, welcome: Callable[[], Awaitable[bool]]
) -> AsyncIterator[str]:
    """Ends before its time where whoever listens may no longer: the next connection is told why."""
    spoken_at = looked_at = local_s()
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
