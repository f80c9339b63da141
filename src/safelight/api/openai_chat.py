"""OpenAI's route of texts: a job, answered whole when it has ended, or told piece by piece while it is written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.requests import ClientDisconnect

from safelight.api import openai_chat_words as words
from safelight.api import openai_errors
from safelight.api.context import Installation
from safelight.api.openai_chat_body import ChatAsked
from safelight.api.openai_submit import Asker, ended, goes_on, submitted
from safelight.api.openai_text import Restarted, text_of
from safelight.api.sse import HEADERS
from safelight.api.while_there import while_there
from safelight.app import Safelight
from safelight.domain.errors import SafelightError
from safelight.domain.jobs import LIVE, Status
from safelight.services.read_jobs import JobDetails

router = APIRouter(tags=["openai"], responses=openai_errors.DOCUMENTED)


@router.post(
    "/v1/chat/completions",
    summary="Write a text, as OpenAI's API does",
    responses={200: {"description": "The text", "content": {"text/event-stream": {}}}},
)
async def complete(body: ChatAsked, request: Request, safelight: Installation, asker: Asker) -> Response:
    """The same job as `POST /api/jobs` makes. Who hangs up does not cancel it."""
    details = await submitted(safelight, body.as_request(), asker)
    try:
        if body.stream:
            return await _streamed(request, _Telling(safelight, details, asker.user_id, asker.base, body.tells_usage))
        details = await ended(request, safelight, details, asker.user_id)
    except ClientDisconnect:
        return Response(status_code=499)  # nobody reads it
    job = safelight.desk.body(details, asker.base)
    if details.job.status != Status.COMPLETED:
        return openai_errors.of_job(job)
    return JSONResponse(words.completion(_head(details), job), headers={"x-safelight-job": job["id"]})


def _head(details: JobDetails) -> words.Head:
    return words.Head(details.job.id, details.job.model, int(details.job.created_at))


class _Telling:
    """One stream: what it is of, and how much of it was told."""

    def __init__(self, safelight: Safelight, details: JobDetails, user_id: str, base: str, tells_usage: bool) -> None:
        self.safelight, self.details, self.user_id, self.base = safelight, details, user_id, base
        self._tells_usage = tells_usage
        self._head = _head(details)

    @property
    def job(self) -> dict[str, Any]:
        return self.safelight.desk.body(self.details, self.base)

    async def pieces(self) -> AsyncIterator[str]:
        """The text as it comes; comments while nothing does."""
        begun = False
        async with aclosing(text_of(self.safelight, self.details, self.user_id)) as news:  # type: ignore[type-var]
            async for piece in news:
                if piece is None:
                    yield ": still here\n\n"
                    continue
                delta = {"content": piece} if begun else {"role": "assistant", "content": piece}
                begun = True
                yield self._chunk(delta)

    async def rest(self) -> AsyncIterator[str]:
        """How it ended."""
        self.details = await self.safelight.desk.job(self.details.job.id, self.user_id)
        if self.details.job.status != Status.COMPLETED:
            yield words.event(self._why_not())
            return
        yield self._chunk({}, words.finish_reason(self.job))
        if self._tells_usage:
            yield words.event(words.usage_chunk(self._head, self.job))
        yield words.DONE

    def _why_not(self) -> dict[str, Any]:
        if self.details.job.status in LIVE:
            return _told(goes_on(self.details.job.id, "This process is being stopped."))
        return openai_errors.body_of_job(self.job)

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> str:
        return words.event(words.chunk(self._head, delta, reason, tells_usage=self._tells_usage))


async def _streamed(request: Request, telling: _Telling) -> Response:
    """It begins with the first piece, so that a job that fails before has a status of its own."""
    pieces = telling.pieces()
    first = await while_there(request, _next(pieces))
    if first is None:
        telling.details = await telling.safelight.desk.job(telling.details.job.id, telling.user_id)
        job = telling.details.job
        if job.status in LIVE:
            raise goes_on(job.id, "This process is being stopped.")
        if job.status != Status.COMPLETED:
            return openai_errors.of_job(telling.job)
    headers = {**HEADERS, "x-safelight-job": telling.details.job.id}
    return StreamingResponse(_all(first, pieces, telling), headers=headers, media_type="text/event-stream")


async def _next(pieces: AsyncIterator[str]) -> str | None:
    return await anext(pieces, None)


async def _all(first: str | None, pieces: AsyncIterator[str], telling: _Telling) -> AsyncIterator[str]:
    if first is not None:
        yield first
    try:
        async with aclosing(pieces):  # type: ignore[type-var]  # who hangs up ends the watching at once
            async for piece in pieces:
                yield piece
        async for piece in telling.rest():
            yield piece
    except Restarted as error:
        yield words.event(_told(goes_on(telling.details.job.id, str(error))))
    except SafelightError as error:
        yield words.event(_told(goes_on(telling.details.job.id, error.what)))


def _told(error: SafelightError) -> dict[str, Any]:
    told = openai_errors.Told(503, "server_error", error.code)
    return openai_errors.told_body(told, openai_errors.sentences(error), None, error.evidence.get("job_id"))
