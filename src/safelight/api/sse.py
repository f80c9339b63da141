"""Server-sent events of one job: a snapshot first, then every event after it, until the last."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from safelight.api.context import Caller, Installation, Visitor
from safelight.app import Safelight
from safelight.domain.clock import as_rfc3339, local_s
from safelight.domain.errors import InvalidParams
from safelight.domain.jobs import LIVE, EventType
from safelight.events.follow import Envelope, follow
from safelight.services.read_jobs import JobDetails

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
    caller: Caller,
    after: Annotated[int | None, Query(ge=0, le=2**31, description="Stored events after this sequence.")] = None,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=20)] = None,
) -> Response:
    """Without a cursor: a snapshot, then news. With one (`Last-Event-ID`, or `after`): what came after it."""
    details = await safelight.desk.job(job_id, caller.user_id)
    cursor = _cursor(last_event_id, after, details.job.sequence)
    ended = details.job.status not in LIVE
    if ended and cursor is not None and cursor >= details.job.sequence:
        return Response(status_code=204)
    stream = _stream(safelight, caller, details, cursor, request.app.state.comment_every_s)
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
    safelight: Safelight, caller: Visitor, details: JobDetails, cursor: int | None, comment_every_s: float
) -> AsyncIterator[str]:
    job = details.job
    read = ""
    if cursor is None:
        cursor, read = job.sequence, job.text or ""
        body = safelight.desk.body(details, caller.base)
        yield _event(Envelope("snapshot", job.id, job.sequence, details.read_at, body))
        if job.status not in LIVE:
            return
    spoken_at = local_s()
    async for envelope in follow(safelight.feeds, job.id, cursor, read):
        if envelope is not None:
            spoken_at = local_s()
            yield _event(await _complete(safelight, caller, envelope))
        elif local_s() - spoken_at >= comment_every_s:
            spoken_at = local_s()
            yield ": still here\n\n"
        if safelight.stopping:
            return


async def _complete(safelight: Safelight, caller: Visitor, envelope: Envelope) -> Envelope:
    """Terminal events carry the job's body, previews their URL."""
    payload: dict[str, Any] = envelope.payload
    if envelope.is_last:
        payload = safelight.desk.body(await safelight.desk.job(envelope.job_id, caller.user_id), caller.base)
    elif envelope.type == EventType.PREVIEW:
        url = safelight.links_for(caller.base).preview(envelope.job_id, envelope.sequence)
        payload = {**payload, "preview_url": url}
    return envelope._replace(payload=payload)


def _event(envelope: Envelope) -> str:
    data = {
        "type": envelope.type,
        "job_id": envelope.job_id,
        "sequence": envelope.sequence,
        "at": as_rfc3339(envelope.at),
        "payload": envelope.payload,
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {envelope.type}\nid: {envelope.sequence}\ndata: {text}\n\n"
