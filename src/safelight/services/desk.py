"""The desk: what every front door calls. It joins preparing, storing and showing jobs, and decides nothing itself."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

from safelight.catalog.catalog import Catalog
from safelight.domain.errors import CallerError, Gone, InvalidParams, NotFound, Remedy, Unavailable
from safelight.domain.ids import is_id, new_id
from safelight.domain.rates import Allowance, RateLimit
from safelight.net.errors import RefusedTarget
from safelight.net.posting import refuse_private_target
from safelight.services import batches, binding, disk, job_pages, keys, rates, read_jobs, removal, sizes
from safelight.services import cancel as cancel_case
from safelight.services.closing_time import ClosingTime
from safelight.services.intake import Intake
from safelight.services.job_body import Links, job_body
from safelight.services.job_pages import ItemsRequest, PageRequest
from safelight.services.outlook import Lookout
from safelight.services.prepare import Caller, JobRequest, Limits, prepare, refuse_pushing
from safelight.services.prepare_batch import BatchRequest, prepare_batch
from safelight.services.prune import Marked
from safelight.services.read_jobs import JobDetails
from safelight.services.removal import Doomed
from safelight.services.screening import NO_HOOKS, Asked, Screen
from safelight.services.shown_models import shown_models
from safelight.services.submission import Answer, Replayed, Submission
from safelight.services.submit import submit
from safelight.services.submit_batch import BatchSubmission, submit_batch
from safelight.services.terms_of_users import TermsOfUsers
from safelight.store.database import Database
from safelight.telemetry import metrics

LOOKS_AFTER_SUBMIT = 3
LinksFor = Callable[[str], Links]
"""From the base address of a request (or of the installation) to the links it is shown."""


class Accepted(NamedTuple):
    """A job that was made, or with `replayed` the one that the caller's idempotency key had made before."""

    details: JobDetails
    replayed: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """One installation as its users meet it.

    `lookout` knows the providers that can be used, here or elsewhere; `terms` what of the catalog each user may use.
    """

    database: Database
    catalog: Catalog
    lookout: Lookout
    terms: TermsOfUsers
    limits: Limits
    links_for: LinksFor
    intake: Intake
    free_bytes: Callable[[], int | None]
    """Free space where assets go; None where that is not limited. May raise OSError."""
    closing_time: ClosingTime
    """Whether new jobs are taken."""
    screen: Screen = NO_HOOKS
    """The operator's prompt hooks."""

    @metrics.submits
    async def submit(self, request: JobRequest | BatchRequest, caller: Caller) -> Accepted:
        """Make a job, or a whole batch. Raises CallerError or Unavailable."""
        self.refuse_on_full_disk()
        checked = await self._checked(request, caller, None)
        asks_elsewhere = binding.has_inputs(request) or request.callback is not None
        if asks_elsewhere and (second := await self._answered_before(checked)) is not None:
            return await self.accepted(second, caller)  # nothing is fetched or checked a second time
        return await self.store(await self._bound(request, checked, caller), caller)

    async def rehearsed(
        self, request: JobRequest | BatchRequest, caller: Caller
    ) -> tuple[Submission | BatchSubmission, bool]:
        """What a submit would store, checked in the same order; and whether its pictures were looked at as well.

        Nothing is kept, nor is any picture fetched. Raises CallerError or Unavailable.
        """
        self.refuse_on_full_disk()
        checked = await self._checked(request, caller, None)
        await self._check_callback(request)
        bound = await binding.looked_up(self.intake, request, checked, caller)
        if bound is not None:
            sizes.refuse_too_large(request, bound, self.catalog)
        await self.closing_time.refuse_new_jobs()
        await self._screened(checked)
        return bound or checked, bound is not None

    async def job(self, job_id: str, user_id: str) -> JobDetails:
        """A user's job. Raises NotFound, also for other people's."""
        details = await self.database.read(read_jobs.job_details, job_id, user_id) if is_id(job_id) else None
        if details is None:
            raise no_such_job(job_id)
        return details

    async def jobs(self, page: PageRequest) -> tuple[list[JobDetails], int | None]:
        """A page of a user's jobs, and the number to continue before."""
        return await self.database.read(job_pages.job_page, page)

    async def items(self, page: ItemsRequest) -> tuple[list[JobDetails], int | None]:
        """A page of a batch's items, and the number to continue after. Raises NotFound."""
        found = await self.database.read(job_pages.item_page, page) if is_id(page.batch) else None
        if found is None:
            raise no_such_job(page.batch)
        return found

    async def cancel(self, job_id: str, user_id: str) -> tuple[cancel_case.Was, JobDetails]:
        """Ask for a job to end, and for every item of a batch. Raises NotFound."""
        was = await self.database.write(cancel_case.cancel, job_id, user_id) if is_id(job_id) else None
        if was is None:
            raise no_such_job(job_id)
        details = await self.job(job_id, user_id)
        if details.job.kind == "batch" and was != "ended":
            while await self.database.write(batches.cancel_items, (details.job.number,)):
                pass
            details = await self.job(job_id, user_id)
        return was, details

    async def remove(self, job_id: str, user_id: str) -> list[Marked]:
        """Mark an ended job for removal: nobody sees it any more. Raises NotFound or Conflict."""
        found = await self.database.write(removal.mark_job, job_id, user_id) if is_id(job_id) else None
        if found is None:
            raise no_such_job(job_id)
        if isinstance(found, CallerError):
            raise found
        return found

    async def remove_asset(self, asset_id: str, user_id: str) -> Doomed:
        """Mark one file for removal; its job stays. Raises NotFound or Conflict."""
        found = await self.database.write(removal.mark_asset, asset_id, user_id) if is_id(asset_id) else None
        if found is None:
            raise NotFound("There is no such file of yours.")
        if isinstance(found, CallerError):
            raise found
        return found

    async def prepared(
        self, request: JobRequest | BatchRequest, caller: Caller, *, replay_of: int | None = None
    ) -> Submission | BatchSubmission:
        """What is to be stored: checked, priced, and with its inputs in storage."""
        checked = await self._checked(request, caller, replay_of)
        return await self._bound(request, checked, caller)

    async def store(self, prepared: Submission | BatchSubmission, caller: Caller) -> Accepted:
        """Make it durable. Raises CallerError or Unavailable."""
        if self.screen.hooks or await self.closing_time.notice() is not None:
            if (second := await self._answered_before(prepared)) is not None:
                return await self.accepted(second, caller)  # whatever is refused today
            await self.closing_time.refuse_new_jobs()
            await self._screened(prepared)
        rate = self.rate_of(caller)
        if isinstance(prepared, Submission):
            return await self.accepted(await self.database.write(submit, replace(prepared, rate=rate)), caller)
        limited = replace(prepared, parent=replace(prepared.parent, rate=rate))
        return await self.accepted(await self.database.write(submit_batch, limited), caller)

    def rate_of(self, caller: Caller) -> RateLimit | None:
        """What this caller may submit in a time, if that is limited."""
        return None if caller.is_local else self.limits.rate

    async def allowance(self, caller: Caller) -> tuple[RateLimit, Allowance] | None:
        """What is left of it to the caller; None if it is not limited."""
        rate = self.rate_of(caller)
        return None if rate is None else (rate, await self.database.read(rates.look, caller.user_id, rate))

    async def _screened(self, prepared: Submission | BatchSubmission) -> None:
        """Before anything is held: what the operator's prompt hooks say. Raises ContentRejected or Unavailable."""
        of_batch = isinstance(prepared, BatchSubmission)
        jobs = prepared.items if isinstance(prepared, BatchSubmission) else (prepared,)
        asked = [Asked(job.prompt, job.kind, job.model, job.user_id) for job in jobs]
        await self.screen.check(asked, [f"items[{n}].prompt" if of_batch else "prompt" for n in range(len(asked))])

    async def accepted(self, answer: Answer, caller: Caller) -> Accepted:
        """The job that a use case has just made, or found under the caller's key. Raises its refusal."""
        if isinstance(answer, CallerError):
            raise answer
        if not isinstance(answer, Replayed):
            return Accepted(await self._just_made(answer.job_id, caller.user_id), False)
        try:
            return Accepted(await self._just_made(answer.job_id, caller.user_id), True)
        except NotFound as error:
            raise Gone(
                f"Job {answer.job_id}, which this idempotency key made, was removed.",
                remedy=Remedy("Use a new key to have it made again."),
                evidence={"job_id": answer.job_id},
            ) from error

    async def models(self, user_id: str) -> list[dict[str, Any]]:
        """Every model as shown to a user, with whether it can be used now, and why not."""
        outlook = await self.lookout.look()
        catalog = await self.terms.catalog_for(user_id, outlook.learnt)
        return shown_models(catalog, outlook, datetime.now(UTC).date())

    def free_disk_bytes(self) -> int | None:
        """Room on the fullest disk that jobs need; None where none is limited. Raises Unavailable."""
        return disk.free_disk_bytes(self.free_bytes, self.database)

    def refuse_on_full_disk(self) -> None:
        """Raises Unavailable while there is too little room for new work."""
        disk.refuse_on_full_disk(self.free_disk_bytes())

    def body(self, details: JobDetails, base: str) -> dict[str, Any]:
        """The public body of a job, with links under `base`."""
        return job_body(details, self.links_for(base))

    async def _checked(
        self, request: JobRequest | BatchRequest, caller: Caller, replay_of: int | None
    ) -> Submission | BatchSubmission:
        """A batch in a thread: a thousand checks take their time."""
        asked = (request.priority,) if isinstance(request, JobRequest) else (i.request.priority for i in request.items)
        refuse_pushing(max(request.priority, *asked, 0), caller)
        outlook = await self.lookout.look()
        catalog = await self.terms.catalog_for(caller.user_id, outlook.learnt)
        rules: dict[str, Any] = {
            "configured": outlook.configured,
            "missing": outlook.missing,
            "limits": self.limits,
            "today": datetime.now(UTC).date(),
            "replay_of": replay_of,
        }
        if isinstance(request, JobRequest):
            return prepare(request, caller, catalog, job_id=new_id(), seed=draw_seed(), **rules)
        return await asyncio.to_thread(prepare_batch, request, caller, catalog, new_id=new_id, seed=draw_seed, **rules)

    async def _bound(
        self, request: JobRequest | BatchRequest, checked: Submission | BatchSubmission, caller: Caller
    ) -> Submission | BatchSubmission:
        """With its inputs in storage, and those of a size that the models take; and a callback that may be called."""
        await self._check_callback(request)
        bound = await binding.bind(self.intake, request, checked, caller)
        sizes.refuse_too_large(request, bound, self.catalog)
        return bound

    async def _check_callback(self, request: JobRequest | BatchRequest) -> None:
        """Raises InvalidParams for an address that would be refused when it is called."""
        if request.callback is None:
            return
        try:
            await refuse_private_target(self.intake.guarded, request.callback.url)
        except RefusedTarget as error:
            raise InvalidParams(f"callback.url: {error}", errors={"callback.url": [str(error)]}) from error

    async def _answered_before(self, checked: Submission | BatchSubmission) -> Answer | None:
        """What a repeated key gets; None for a submission that comes first."""
        asked = checked if isinstance(checked, Submission) else checked.parent
        if asked.key is None:
            return None
        return await self.database.read(keys.answered_before, asked)

    async def _just_made(self, job_id: str, user_id: str) -> JobDetails:
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


def draw_seed() -> int:
    return secrets.randbits(31)


def no_such_job(job_id: str) -> NotFound:
    shown = job_id if len(job_id) <= 64 else f"{job_id[:63]}…"
    return NotFound(f"There is no job {shown!r}.")
