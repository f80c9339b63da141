"""One task, one story: what a message on a task's topic comes to, which may be that task itself.

Clients create a task, join its topic, and then ask for the same once more over the channel, as their first server
needed it. Made again, that would be paid twice, and the topic would tell of two jobs at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from safelight.api.accepting import submitter
from safelight.api.context import Visitor
from safelight.api.tasks import find_task
from safelight.app import Safelight
from safelight.domain.errors import NotFound
from safelight.domain.jobs import LIVE, Status
from safelight.services import keys
from safelight.services.prepare import JobRequest, request_hash
from safelight.services.read_jobs import JobDetails

SAME_FOR_S = 600.0
"""For so long after it was created a task is what the same request on its topic means."""
TOLD = LIVE | {Status.COMPLETED}


class Told(NamedTuple):
    """A job that answers a request, whether it was there before, and whether it is that of the topic."""

    details: JobDetails
    was_there: bool
    is_topics: bool


@dataclass(frozen=True, slots=True)
class Story:
    """Requests on the topic of one task, by one client. Call for one at a time."""

    safelight: Safelight
    caller: Visitor
    task_id: str
    told: set[str]
    """The tasks that have stood for a request already, on whichever of the client's topics."""

    async def ask(self, request: JobRequest, request_id: str | None) -> Told:
        """The task itself, the first time that it is asked for what it makes anyway; else a new job.

        A request that has an id gives once and for all what it gave first, whoever repeats it. Raises as submit does.
        """
        key = None if request_id is None else f"task:{self.task_id} {request_id}"
        if not (key and await self._known(key)) and (details := await self._same(request)) is not None:
            self.told.add(self.task_id)
            if key:
                await self._keep(key, request)
            return Told(details, was_there=True, is_topics=True)
        accepted = await self.safelight.desk.submit(request, submitter(self.caller, key))
        if is_topics := accepted.details.job.id == self.task_id:
            self.told.add(self.task_id)  # sent again on another socket: what is asked next is a new wish there too
        return Told(accepted.details, accepted.replayed, is_topics)

    async def _known(self, key: str) -> bool:
        return await self.safelight.database.read(keys.is_known, self.caller.user_id, key)

    async def _keep(self, key: str, request: JobRequest) -> None:
        kept = (self.caller.user_id, key, request_hash(request), self.task_id)
        await self.safelight.database.write(keys.keep, *kept)

    async def _same(self, request: JobRequest) -> JobDetails | None:
        if self.task_id in self.told:
            return None
        try:
            details = await find_task(self.safelight, self.task_id, self.caller.user_id)
        except NotFound:
            return None
        return details if _is_told_by(details, request) else None


def _is_told_by(details: JobDetails, request: JobRequest) -> bool:
    job = details.job
    same = (job.kind, job.prompt) == (request.kind, request.prompt or "")
    return same and job.status in TOLD and details.read_at - job.created_at < SAME_FOR_S
