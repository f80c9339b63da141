"""One attempt at one claimed job: record the call, make it, watch for reasons to stop, deliver, end.

Every attempt ends by finish, retry or hand-back. Whatever was learnt about the call is written down even
when the job was taken away meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from safelight.catalog.catalog import Catalog
from safelight.catalog.model import Model, Route
from safelight.domain.errors import StorageFailed
from safelight.domain.ids import new_id
from safelight.domain.jobs import Stage, Status
from safelight.domain.outcomes import Done, ErrorClass, Pending, ProviderError, Rejected, RemoteState
from safelight.events.hub import Hub
from safelight.providers.protocol import Generation, Provider
from safelight.services import calls
from safelight.services.calls import CallOutcome, Sending
from safelight.services.claim import ClaimedJob
from safelight.services.finish import Ending, finish
from safelight.services.hand_back import Return, hand_back
from safelight.services.progress import standing
from safelight.storage.assets import AssetStore
from safelight.storage.containers import UnreadableContainer
from safelight.storage.images import UnreadablePicture
from safelight.store.database import Database
from safelight.telemetry.logs import bind_job
from safelight.worker.decide import Fail, TryLater, after_rejection, after_storage_failure, error_json
from safelight.worker.deliver import Origin, deliver
from safelight.worker.presence import Presence
from safelight.worker.reporter import Reporter

log = structlog.get_logger(__name__)

STOP_BEFORE_DEADLINE_S = 15.0
STOP_GRACE_S = 5.0
"""How long a provider that was told to stop may take to answer before its task is cancelled."""
LOOK_AGAIN_S = 5.0
POLL_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Bench:
    """What attempts work with."""

    database: Database
    hub: Hub
    store: AssetStore
    catalog: Catalog
    providers: Mapping[str, Provider]
    presence: Presence


class Attempt:
    """Runs one claimed job to its end, or gives it back."""

    def __init__(self, bench: Bench, job: ClaimedJob) -> None:
        self._bench, self.job = bench, job
        self._reporter = Reporter(bench.database, job)
        self._call_id = new_id()
        self._params: dict[str, Any] = json.loads(job.params)
        self._draining = False
        self._late = False

    async def run(self) -> None:
        """Never raises: whatever goes wrong becomes an ending or a hand-back of the job."""
        job = self.job
        with bind_job(job_id=job.id, user_id=job.user_id, kind=job.kind, request_id=job.request_id):
            waited_ms = round((job.claimed_at - job.created_at) * 1000)
            log.info("job.started", attempt=job.attempt, model=job.model, waited_ms=waited_ms)
            try:
                await self._run()
            except Exception as error:  # the edge of the loop: a bug must not leave the job without an ending
                log.exception("attempt_failed")
                await self._give_up_on(error)

    def drain(self) -> None:
        """Stop as soon as the provider lets go, and hand the job back."""
        self._draining = True
        self._reporter.stopped = True

    async def _run(self) -> None:
        if self.job.cancel_requested_at is not None:
            await self._end(Status.CANCELED)
            return
        if not await self._clear_way():
            return
        found = self._route()
        if found is None:
            text = f"This worker cannot run model {self.job.model!r}: none of its providers is set up here."
            await self._end(Status.FAILED, error=error_json("model_unavailable", text))
            return
        model, route = found
        if not await self._open_call(route):
            log.info("job.taken_away", before="sending")
            return
        await self._settle(model, route, await self._generate(route))

    async def _clear_way(self) -> bool:
        """Look at a call left open by an earlier worker. One that may have been accepted is never repeated."""
        left = await self._bench.database.read(calls.open_call_of, self.job.number)
        if left is None:
            return True
        if left.repeatable:
            await self._bench.database.write(calls.end_call, CallOutcome(left.id, "failed", error="superseded"))
            return True
        text = "An earlier worker was lost during its call; the provider may or may not have accepted it."
        await self._end(Status.FAILED, error=error_json("provider_unknown", text, left.provider))
        return False

    def _route(self) -> tuple[Model, Route] | None:
        model = self._bench.catalog.get(self.job.model)
        if model is None:
            return None
        pin = self.job.provider_pin
        routes = (r for r in model.routes if r.provider in self._bench.providers and pin in (None, r.provider))
        route = next(routes, None)
        return (model, route) if route else None

    async def _open_call(self, route: Route) -> bool:
        if not self._bench.presence.lease_held:
            return False
        provider, job = self._bench.providers[route.provider], self.job
        sending = Sending(
            self._call_id,
            job.number,
            job.fence,
            job.attempt,
            route.provider,
            route.model,
            provider.repeatable,
            self._bench.presence.id,
        )
        return await self._bench.database.write(calls.sending, sending)

    async def _generate(self, route: Route) -> RemoteState:
        """Make the call under the job's deadline, with one eye on whether it is still wanted."""
        provider = self._bench.providers[route.provider]
        call = asyncio.create_task(self._call(provider, route))
        watch = asyncio.create_task(self._watch())
        limit_s = max(1.0, self.job.seconds_left - STOP_BEFORE_DEADLINE_S)
        try:
            done, _ = await asyncio.wait({call, watch}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
            if call not in done:
                self._late = not done
                self._reporter.stopped = True
                await asyncio.wait({call}, timeout=STOP_GRACE_S)
            return await _result_of(call)
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch

    async def _call(self, provider: Provider, route: Route) -> RemoteState:
        job = self.job
        generation = Generation(job.kind, route.model, job.prompt, self._params)
        state = await provider.start(generation, self._call_id, self._reporter)
        if isinstance(state, Pending):
            await self._bench.database.write(calls.accepted, self._call_id, state.remote_id)
        while isinstance(state, Pending):
            if not await self._reporter(state.progress or 0.0):
                await provider.cancel(state.remote_id)
                return _stopped()
            await asyncio.sleep(POLL_EVERY_S)
            state = await provider.poll(state.remote_id)
        return state

    async def _watch(self) -> None:
        """Return when the job is no longer ours, or somebody asked to cancel it."""
        job = self.job
        with self._bench.hub.waiting(f"job:{job.id}") as waiter:
            while True:
                waiter.clear()
                if not (await self._bench.database.read(standing, job.number, job.fence)).go_on:
                    return
                await waiter.wait(LOOK_AGAIN_S)

    async def _settle(self, model: Model, route: Route, state: RemoteState) -> None:
        match state:
            case Done():
                await self._deliver(model, state)
            case Rejected():
                await self._rejected(route, state.error)
            case Pending():
                raise AssertionError("a call was left pending")

    async def _deliver(self, model: Model, done: Done) -> None:
        call = CallOutcome(self._call_id, "succeeded", done.cost_usd)
        job = self.job
        origin = Origin(job.id, self._call_id, job.model, job.prompt, self._params, model.ai_generated)
        try:
            await self._reporter.write(Stage.UPLOADING)
            assets = await deliver(self._bench.store, origin, done.outputs[: job.outputs])
        except (StorageFailed, UnreadablePicture, UnreadableContainer) as error:
            log.warning("delivery_failed", error=str(error))
            decision = after_storage_failure(job, str(error), random.random())  # noqa: S311  # jitter, not a secret
            await self._follow(decision, call)
            return
        ended = await self._write_ending(Ending(job.number, job.fence, Status.COMPLETED, assets, None, call))
        log.info("job.completed" if ended else "job.taken_away", assets=len(assets))

    async def _rejected(self, route: Route, error: ProviderError) -> None:
        call = CallOutcome(self._call_id, "failed", error=error.message)
        now = await self._bench.database.read(standing, self.job.number, self.job.fence)
        if not now.held:
            await self._bench.database.write(calls.end_call, call)
            log.info("job.taken_away", before="ending")
        elif now.cancel_requested:
            await self._end(Status.CANCELED, call=call)
        elif self._late:
            text = f"It ran into its time limit. The provider's last word: {error.message}"
            error_text = error_json("deadline_exceeded", text, route.provider)
            await self._end(Status.FAILED, error=error_text, call=call)
        elif self._draining:
            await self._hand_back(TryLater(0.0, False, "The worker is being stopped.", "drain"), call)
        else:
            await self._follow(after_rejection(self.job, route.provider, error, random.random()), call)  # noqa: S311  # jitter, not a secret

    async def _follow(self, decision: Fail | TryLater, call: CallOutcome) -> None:
        match decision:
            case Fail(error):
                await self._end(Status.FAILED, error=error, call=call)
            case TryLater():
                await self._hand_back(decision, call)

    async def _hand_back(self, later: TryLater, call: CallOutcome | None) -> None:
        given = Return(
            self.job.number,
            self.job.fence,
            later.reason,
            later.due_in_s,
            later.uses_attempt,
            call=call,
            retrying=later.uses_attempt,
            error_code=later.code,
        )
        held = await self._bench.database.write(hand_back, given)
        log.info("job.handed_back" if held else "job.taken_away", code=later.code, due_in_s=round(later.due_in_s, 1))

    async def _end(self, status: Status, *, error: str | None = None, call: CallOutcome | None = None) -> None:
        ended = await self._write_ending(Ending(self.job.number, self.job.fence, status, (), error, call))
        log.info(f"job.{status}" if ended else "job.taken_away", error=error)

    async def _write_ending(self, ending: Ending) -> bool:
        return await self._bench.database.write(finish, ending)

    async def _give_up_on(self, error: Exception) -> None:
        """Last resort after a bug: end the job if the database lets us; else the sweep will find it."""
        text = f"Safelight itself failed while running it ({type(error).__name__})."
        call = CallOutcome(self._call_id, "failed", error=type(error).__name__)
        try:
            await self._end(Status.FAILED, error=error_json("internal", text), call=call)
        except Exception:  # the edge of the loop: nothing is left but to let the lease run out
            log.exception("attempt_abandoned")


async def _result_of(call: asyncio.Task[RemoteState]) -> RemoteState:
    """The call's answer; one that does not end in its grace is cut off."""
    if not call.done():
        call.cancel()
        with suppress(asyncio.CancelledError):
            return await call
        return _stopped()
    return call.result()


def _stopped() -> Rejected:
    return Rejected(ProviderError(ErrorClass.UNAVAILABLE, "stopped"))
