"""Again: retry and replay, as front doors ask for them. The desk does the storing and showing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from safelight.domain.errors import Conflict, ModelUnavailable, Remedy
from safelight.domain.ids import is_id, new_id
from safelight.domain.jobs import Status
from safelight.services import originals, replay
from safelight.services.desk import Accepted, Desk, no_such_job
from safelight.services.originals import UNFINISHED, Original
from safelight.services.prepare import Caller
from safelight.services.read_jobs import JobDetails
from safelight.services.replay import Resume, SourceCall
from safelight.services.retry import retry_now
from safelight.services.sql import as_json
from safelight.services.submission import Submission
from safelight.services.submit_batch import BatchSubmission

Mode = Literal["rerun", "resume"]


class DueNow(NamedTuple):
    """The job itself is tried again at once; nothing was made."""

    details: JobDetails


@dataclass(frozen=True, slots=True)
class Again:
    """Makes jobs once more, at one desk."""

    desk: Desk

    async def retry(self, job_id: str, caller: Caller) -> DueNow | Accepted:
        """Try a waiting job now, or make a failed or canceled one again, or the unfinished items of a batch.

        Raises NotFound, Conflict, and whatever a fresh submit may raise.
        """
        if await self._is_due_now(job_id, caller):
            return DueNow(await self.desk.job(job_id, caller.user_id))
        return await self.make_again(job_id, caller)

    async def make_again(self, job_id: str, caller: Caller, message: str = "") -> Accepted:
        """As `retry`, of a job that has ended. The message stands in the new job."""
        original = await self._original(job_id, caller)
        originals.refuse_to_retry(original)
        return await self._make(original, caller, "retry", UNFINISHED, message)

    async def replay(self, job_id: str, mode: Mode, caller: Caller) -> Accepted:
        """Make an ended job again, or fetch what its call made. Raises as `retry` does."""
        original = await self._original(job_id, caller)
        originals.refuse_to_replay(original)
        if mode == "rerun":
            return await self._make(original, caller, mode, frozenset(Status))
        return await self._resume(original, caller)

    async def _is_due_now(self, job_id: str, caller: Caller) -> bool:
        key, request_hash = caller.idempotency_key, _hash("retry", job_id)
        asked = (job_id, caller.user_id, key, request_hash)
        return is_id(job_id) and await self.desk.database.write(retry_now, *asked)

    async def _make(
        self, original: Original, caller: Caller, verb: str, statuses: Collection[str], message: str = ""
    ) -> Accepted:
        self.desk.refuse_on_full_disk()
        if original.kind == "batch":
            found = await self.desk.database.read(originals.items_of, original.number)
            items = [_in_line(item, caller) for item in found]
            batch = originals.as_batch(original, items, statuses)
            prepared = await self.desk.prepared(batch, caller, replay_of=original.number)
        else:
            prepared = await self.desk.prepared(originals.as_request(original), caller, replay_of=original.number)
        return await self.desk.store(_saying(_known_as(prepared, verb, original.id), message), caller)

    async def _resume(self, original: Original, caller: Caller) -> Accepted:
        self.desk.refuse_on_full_disk()
        source = None
        if original.kind != "batch":
            source = await self.desk.database.read(replay.source_of, original.number)
        if source is None:
            raise _nothing_to_resume(original)
        await self._refuse_unreachable(original, source)
        await self.desk.closing_time.refuse_new_jobs()
        submission = self._resuming(original, source, caller)
        asked = Resume(original, source, submission, new_id())
        return await self.desk.accepted(await self.desk.database.write(replay.resume, asked), caller)

    async def _original(self, job_id: str, caller: Caller) -> Original:
        read = self.desk.database.read
        found = await read(originals.original, job_id, caller.user_id) if is_id(job_id) else None
        if found is None:
            raise no_such_job(job_id)
        return _in_line(found, caller)

    async def _refuse_unreachable(self, original: Original, source: SourceCall) -> None:
        """A worker asks the same provider under the same model; its route may be closed for new calls."""
        model = self.desk.catalog.get(original.model)
        if model is None or model.route_at(source.provider) is None:
            raise ModelUnavailable(model=original.model, reason=f"the catalog no longer has it at {source.provider!r}")
        outlook = await self.desk.lookout.look()
        if source.provider not in outlook.configured:
            unknown = f"no process of this installation has provider {source.provider!r} configured"
            raise ModelUnavailable(model=original.model, reason=outlook.missing.get(source.provider, unknown))

    def _resuming(self, original: Original, source: SourceCall, caller: Caller) -> Submission:
        return Submission(
            id=new_id(),
            user_id=caller.user_id,
            kind=original.kind,
            model=original.model,
            queue=original.queue,
            prompt=original.prompt,
            params=original.params,
            inputs=original.inputs,
            outputs=original.outputs,
            price=original.price,
            share=original.share,
            max_wait_s=self.desk.limits.max_wait_s,
            run_limit_s=original.run_limit_s,
            labels=original.labels,
            priority=original.priority,
            provider_pin=original.provider_pin,
            request_id=caller.request_id,
            key=caller.idempotency_key,
            request_hash=_hash("resume", original.id),
            replay_of=original.number,
            resumed_call=source.id,
            callback=original.callback,
            rate=self.desk.rate_of(caller),
        )


def _in_line(original: Original, caller: Caller) -> Original:
    """To go before others once more takes the right to do so now."""
    return original if caller.goes_first else original._replace(priority=min(original.priority, 0))


def _known_as(prepared: Submission | BatchSubmission, verb: str, original: str) -> Submission | BatchSubmission:
    """An idempotency key stands for doing this to that job, whatever it had asked."""
    if isinstance(prepared, Submission):
        return replace(prepared, request_hash=_hash(verb, original))
    return replace(prepared, parent=replace(prepared.parent, request_hash=_hash(verb, original)))


def _saying(prepared: Submission | BatchSubmission, message: str) -> Submission | BatchSubmission:
    """With a word of the operator among its warnings."""
    if not message:
        return prepared
    if isinstance(prepared, BatchSubmission):
        return replace(prepared, parent=_with_warning(prepared.parent, message))
    return _with_warning(prepared, message)


def _with_warning(submission: Submission, message: str) -> Submission:
    said = [*json.loads(submission.warnings), {"code": "made_again", "message": message}]
    return replace(submission, warnings=as_json(said))


def _hash(verb: str, original: str) -> str:
    return hashlib.sha256(f"{verb} {original}".encode()).hexdigest()


def _nothing_to_resume(original: Original) -> Conflict:
    what = "a batch has no call of its own" if original.kind == "batch" else "its provider never named a call of it"
    return Conflict(
        f"Job {original.id} cannot be resumed: {what}.",
        remedy=Remedy("Make it again instead.", f"safelight jobs replay {original.id} --mode rerun"),
        evidence={"status": original.status},
    )
