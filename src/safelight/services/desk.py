"""The desk: what every front door calls. It joins preparing, storing and showing a job, and decides nothing itself."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from safelight.catalog.catalog import Catalog
from safelight.domain.errors import CallerError, NotFound, Remedy, Unavailable
from safelight.domain.ids import is_id, new_id
from safelight.services import cancel as cancel_case
from safelight.services import read_jobs
from safelight.services.job_body import Links, job_body
from safelight.services.prepare import Caller, JobRequest, Limits, prepare
from safelight.services.read_jobs import JobDetails, PageRequest
from safelight.services.submission import Replayed
from safelight.services.submit import submit
from safelight.store.database import Database
from safelight.store.sqlite import SqliteDatabase

LOOKS_AFTER_SUBMIT = 3
LEAST_FREE_BYTES = 256 * 1024 * 1024
LinksFor = Callable[[str], Links]
"""From the base address of a request (or of the installation) to the links it is shown."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One installation as its users meet it. `configured` names the providers that can be used."""

    database: Database
    catalog: Catalog
    configured: Collection[str]
    limits: Limits
    links_for: LinksFor
    free_bytes: Callable[[], int | None]
    """Free space where assets go; None where that is not limited. May raise OSError."""

    async def submit(self, request: JobRequest, caller: Caller) -> tuple[JobDetails, bool]:
        """Make a job; True if the caller's idempotency key had made it before. Raises CallerError or Unavailable."""
        refuse_on_full_disk(self.free_disk_bytes())
        submission = prepare(
            request,
            caller,
            self.catalog,
            configured=self.configured,
            limits=self.limits,
            today=datetime.now(UTC).date(),
            job_id=new_id(),
            seed=secrets.randbits(31),
        )
        answer = await self.database.write(submit, submission)
        if isinstance(answer, CallerError):
            raise answer
        return await self._accepted(answer.job_id, caller.user_id), isinstance(answer, Replayed)

    async def job(self, job_id: str, user_id: str) -> JobDetails:
        """A user's job. Raises NotFound, also for other people's."""
        details = await self.database.read(read_jobs.job_details, job_id, user_id) if is_id(job_id) else None
        if details is None:
            raise no_such_job(job_id)
        return details

    async def _accepted(self, job_id: str, user_id: str) -> JobDetails:
        """The job just made. If it cannot be shown, the caller must hear that it exists, or may pay twice."""
        for _ in range(LOOKS_AFTER_SUBMIT - 1):
            with suppress(Unavailable):
                return await self.job(job_id, user_id)
        try:
            return await self.job(job_id, user_id)
        except Unavailable as error:
            raise Unavailable(
                f"The job was accepted as {job_id}, but cannot be shown now: {error.what}",
                remedy=Remedy("Do not submit it again: look at it a little later.", f"GET /api/jobs/{job_id}"),
                evidence={"job_id": job_id},
            ) from error

    async def jobs(self, page: PageRequest) -> tuple[list[JobDetails], int | None]:
        """A page of a user's jobs, and the number to continue before."""
        return await self.database.read(read_jobs.job_page, page)

    async def cancel(self, job_id: str, user_id: str) -> tuple[cancel_case.Was, JobDetails]:
        """Ask for a job to end. Raises NotFound."""
        was = await self.database.write(cancel_case.cancel, job_id, user_id) if is_id(job_id) else None
        if was is None:
            raise no_such_job(job_id)
        return was, await self.job(job_id, user_id)

    def models(self) -> list[dict[str, Any]]:
        """Every model as shown to users, with whether it can be used now, and why not."""
        today = datetime.now(UTC).date()
        defaults = {self._default(kind) for kind in {model.kind for model in self.catalog.models}}
        shown = []
        for model in self.catalog.models:
            reason = model.why_unavailable(configured=self.configured, today=today)
            availability = {"available": reason is None, "unavailable_reason": reason}
            shown.append({**model.public(), **availability, "default": model.id in defaults})
        return shown

    def free_disk_bytes(self) -> int | None:
        """Room on the fullest disk that jobs need, for assets or for a SQLite file; None where none is limited.

        Raises Unavailable when one of them cannot be looked at.
        """
        try:
            found = (self.free_bytes(), _free_beside(self.database))
        except OSError as error:
            raise Unavailable(
                f"The folder {error.filename} cannot be looked at: {error.strerror}. No new jobs are taken.",
                remedy=Remedy("The operator must bring it back, readable for the user Safelight runs as."),
            ) from error
        return min((free for free in found if free is not None), default=None)

    def body(self, details: JobDetails, base: str) -> dict[str, Any]:
        """The public body of a job, with links under `base`."""
        return job_body(details, self.links_for(base))

    def _default(self, kind: str) -> str | None:
        try:
            return self.catalog.resolve(kind, None, configured=self.configured, today=datetime.now(UTC).date()).model.id
        except CallerError:
            return None


def _free_beside(database: Database) -> int | None:
    return shutil.disk_usage(database.path.parent).free if isinstance(database, SqliteDatabase) else None


def refuse_on_full_disk(free_bytes: int | None) -> None:
    """New work is refused while there is still room to finish what was accepted."""
    if free_bytes is not None and free_bytes < LEAST_FREE_BYTES:
        least = LEAST_FREE_BYTES // 2**20
        raise Unavailable(
            f"Only {free_bytes // 2**20} MB of disk are free; below {least} MB no new jobs are taken.",
            remedy=Remedy("The operator must free disk space. Jobs already accepted go on."),
            evidence={"free_bytes": free_bytes},
        )


def no_such_job(job_id: str) -> NotFound:
    shown = job_id if len(job_id) <= 64 else f"{job_id[:63]}…"
    return NotFound(f"There is no job {shown!r}.")
