"""One topic `task:ID` as one client has joined it: its news as they come, its messages answered in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Final, NamedTuple, Protocol

import structlog

from safelight.api import task_errors, task_messages, task_words
from safelight.api.context import Visitor
from safelight.api.task_messages import GENERATES, MADE, MADE_BEFORE, Generating
from safelight.api.task_story import Story, Told
from safelight.api.tasks import find_task, task_of
from safelight.app import Safelight
from safelight.domain.errors import InternalError, Remedy, SafelightError
from safelight.domain.jobs import LIVE, EventType
from safelight.events.follow import SNAPSHOT, Envelope, follow
from safelight.services.read_jobs import JobDetails

log = structlog.get_logger(__name__)

PREFIX: Final = "task:"
_BACK_IN_LINE: Final = frozenset({EventType.RETRYING, EventType.REQUEUED})


class Reply(NamedTuple):
    """The answer to one message."""

    status: str
    response: dict[str, Any]


OK: Final = Reply("ok", {})


class Push(Protocol):
    """Sends an event on this topic, and waits while the client takes none."""

    def __call__(self, event: str, payload: dict[str, Any]) -> Awaitable[None]: ...


class TaskChannel:
    """A joined topic. `tell` runs beside `answer`; whoever joined it ends both."""

    def __init__(self, safelight: Safelight, caller: Visitor, details: JobDetails, told: set[str], push: Push) -> None:
        self._safelight, self._caller, self._details, self._push = safelight, caller, details, push
        self._story = Story(safelight, caller, details.job.id, told)
        self._turn = asyncio.Lock()

    async def tell(self) -> None:
        """Where the task is, and then what happens to it, until it has ended or the server stops."""
        details = self._details
        task = await task_of(self._safelight, self._caller, details)
        await self._push("status", task_words.status_push(task, details.read_at))
        if details.job.status not in LIVE:
            return await self._say_where(details, details.read_at)
        while await self._goes_on(details):
            details = await find_task(self._safelight, details.job.id, self._caller.user_id)
            await self._say_where(details, details.read_at)
        return None

    async def _goes_on(self, details: JobDetails) -> bool:
        """Push what happens after a look; True if so much happened meanwhile that only a new look can tell."""
        job = details.job
        progress = job.progress
        async for envelope in follow(self._safelight.feeds, job.id, job.sequence, job.text or ""):
            if envelope is None and self._safelight.stopping:
                return False
            if envelope is not None and envelope.type == SNAPSHOT:
                return True
            if envelope is not None:
                progress = await self._news(envelope, progress)
        return False

    async def answer(self, event: str, payload: dict[str, Any]) -> Reply:
        """The reply to a message."""
        if event == "ping":
            return Reply("ok", payload)
        if (generating := GENERATES.get(event)) is None:
            known = ", ".join(["ping", *GENERATES])
            return Reply("error", {"reason": f"There is no event {event[:100]!r}; there are: {known}."})
        async with self._turn:
            return await self._generate(generating, payload)

    async def refuse(self, event: str, payload: object, error: SafelightError) -> Reply:
        """The reply to a message that is not looked into. Who waits for an event is told by that as well."""
        if event not in GENERATES:
            return Reply("error", {"reason": error.what})
        return await self._say(GENERATES[event], payload, task_errors.refused(error))

    async def _generate(self, generating: Generating, payload: dict[str, Any]) -> Reply:
        try:
            told = await self._ask(generating, payload)
            answer = await self._answered(told)
        except SafelightError as error:
            return await self._say(generating, payload, task_errors.refused(error))
        except Exception:  # the edge of a message: one that crashes gets its answer, and the channel lives on
            log.exception("message_crashed", kind=generating.kind)
            return await self._say(generating, payload, task_errors.refused(_failed()))
        reply = await self._say(generating, payload, answer)
        if told.is_topics:
            await self._say_where(told.details, told.details.read_at)
        return reply

    async def _say(self, generating: Generating, payload: object, answer: dict[str, Any]) -> Reply:
        """Answer by an event, as clients wait for it, and by the reply as well."""
        request_id = payload.get("request_id") if isinstance(payload, dict) else None
        answer["request_id"] = request_id if isinstance(request_id, str | int) else None
        await self._push(generating.answered_by, answer)
        return Reply("ok" if answer["success"] else "error", answer)

    async def _ask(self, generating: Generating, payload: dict[str, Any]) -> Told:
        message = task_messages.read(payload)
        request = message.as_request(generating.kind)
        request_id = None if message.request_id is None else str(message.request_id)
        return await self._story.ask(request, request_id)

    async def _answered(self, told: Told) -> dict[str, Any]:
        task = await task_of(self._safelight, self._caller, told.details)
        return task_messages.answered(task, told.details.read_at, MADE_BEFORE if told.was_there else MADE)

    async def _news(self, envelope: Envelope, progress: float) -> float:
        """Push what a client of tasks wants to know; returns how far the task is."""
        task_id = envelope.job_id
        if envelope.is_last:
            await self._say_where(await find_task(self._safelight, task_id, self._caller.user_id), envelope.at)
        elif envelope.type == EventType.PROGRESS:
            status, progress = envelope.payload["status"], envelope.payload["progress"]
            await self._push("progress", task_words.moved(task_id, status, progress, envelope.at))
        elif envelope.type == EventType.STARTED:
            await self._push("progress", task_words.moved(task_id, "processing", progress, envelope.at))
        elif envelope.type in _BACK_IN_LINE:
            await self._push("progress", task_words.moved(task_id, "pending", progress, envelope.at))
        return progress

    async def _say_where(self, details: JobDetails, at: float) -> None:
        task = await task_of(self._safelight, self._caller, details)
        await self._push("progress", task_words.progress_push(task, at))


def _failed() -> InternalError:
    return InternalError("Safelight failed on this message.", remedy=Remedy("Send it again; it was written down."))
