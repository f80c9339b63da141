"""One attempt at one claimed job: record the call, make it, deliver, end.

Every attempt ends by finish, retry or hand-back. Whatever was learnt about the call is written down even
when the job was taken away meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar, assert_never

import structlog

from safelight.catalog.model import Model, Route
from safelight.catalog.rates import Price
from safelight.domain.clock import local_s
from safelight.domain.errors import Gone, StorageFailed
from safelight.domain.gates import Shut
from safelight.domain.ids import new_id
from safelight.domain.jobs import Status
from safelight.domain.outcomes import Done, ErrorClass, ProviderError, Rejected
from safelight.providers.protocol import Input
from safelight.services import calls, gates, unknown_calls
from safelight.services.assets import NewAsset
from safelight.services.calls import Accepted, CallOutcome, OpenCall, Sending
from safelight.services.claimable import ClaimedJob
from safelight.services.gates import Heard
from safelight.services.job_error import error_json
from safelight.services.progress import Standing, standing
from safelight.telemetry.logs import bind_job
from safelight.worker.bench import Bench
from safelight.worker.closing import Closing
from safelight.worker.decide import (
    Fail,
    GiveUpCall,
    TryLater,
    after_lost_file,
    after_no_answer,
    after_not_found,
    after_rejection,
    after_spoiled,
    after_storage_failure,
    input_missing,
    not_found,
    nothing_to_resume,
)
from safelight.worker.fetching import NotFetched
from safelight.worker.finishing import Origin, Spoiled
from safelight.worker.inputs import load_inputs
from safelight.worker.live_call import Answer, LiveCall, NoAnswer, stopped_at_provider
from safelight.worker.looking import Named, NoTrace, Sendable, StorageAway, Stored, Written, trace_of
from safelight.worker.patience import patiently
from safelight.worker.routing import Routing, at_breaker, verdict_of
from safelight.worker.uploading import upload

T = TypeVar("T")
log = structlog.get_logger(__name__)

DRAINING = TryLater(0.0, False, "The worker is being stopped.", "drain")
LEASE_LOST = TryLater(0.0, False, "The worker could not reach the database for a while.", "lease_lost")
CANNOT_RUN = TryLater(
    30.0, False, "The worker that took it does not know its model or has none of its providers.", "worker_cannot_run"
)
"""Others may: workers of several versions and set-ups share a queue. If none can, the deadline ends the job."""
STORAGE_AGAIN_S = 30.0
"""Between two looks at files while the storage is away."""


class Attempt:
    """Runs one claimed job to its end, or gives it back."""

    def __init__(self, bench: Bench, job: ClaimedJob) -> None:
        self._bench, self.job = bench, job
        self._params: dict[str, Any] = json.loads(job.params)
        self._loaded: tuple[Input, ...] | None = None
        self._live: LiveCall | None = None
        self._closing = Closing(bench, job)
        self._draining = False
        self._began_s = local_s()
        self._routing = Routing(bench, job)

    async def run(self) -> None:
        """Whatever goes wrong becomes an ending or a hand-back of the job. Raises only if none could be written."""
        job = self.job
        with bind_job(job_id=job.id, user_id=job.user_id, kind=job.kind, request_id=job.request_id):
            waited_ms = round((job.claimed_at - job.created_at) * 1000)
            log.info("job.started", attempt=job.attempt, model=job.model, waited_ms=waited_ms)
            try:
                await self._run()
            except Exception as error:  # the edge of the loop: a bug must not leave the job without an ending
                log.exception("attempt_failed")
                await self._closing.give_up_on(error)

    @property
    def can_be_resumed(self) -> bool:
        """Whether its call goes on at the provider without this worker."""
        return self._live is not None and self._live.accepted

    def drain(self) -> None:
        """Stop as soon as the provider lets go, and hand the job back."""
        self._draining = True
        if self._live is not None:
            self._live.drain()

    def hear(self, standing: Standing) -> None:
        """The process has looked at its rows: whether this job is still ours and still wanted."""
        if self._live is not None:
            self._live.hear(standing)

    async def _run(self) -> None:
        fetches = self.job.resumed_call is not None  # it takes its turn like any job: its user may ask for many
        left = await self._open_call() if self.job.resumes or fetches else None
        if self.job.cancel_requested_at is not None:
            await self._cancel_at_provider(left)
            await self._closing.end(Status.CANCELED)
        elif left is None or left.repeatable:  # `sending` closes a repeatable one, under this job's lease
            await self._start()
        elif left.remote_id is not None:
            await self._resume(left, left.remote_id)
        else:
            await self._reconcile(left)

    async def _open_call(self) -> OpenCall | None:
        return await self._surely(lambda: self._bench.database.read(calls.open_call_of, self.job.number))

    async def _start(self) -> None:
        if self.job.resumed_call is not None:
            await self._closing.follow(nothing_to_resume())
            return
        if self._draining:
            await self._closing.hand_back(DRAINING)
            return
        inputs = await self._inputs()
        if not isinstance(inputs, tuple):
            await self._closing.follow(inputs)
            return
        for model, route in self._routing.left():
            live = LiveCall(self._bench, self._job_by_now(), route, self._params, new_id(), inputs=inputs)
            if not live.reporter.may_send():
                await self._closing.hand_back(LEASE_LOST)
                return
            match await self._open(live, route):
                case Shut() as shut:
                    self._routing.is_shut(shut)
                    self._bench.gates.note(route.provider, shut)
                case True:
                    await self._finish(model, route, live)
                    return
                case False:
                    await self._not_ours()
                    return
        await self._closing.follow(self._routing.decision() or CANNOT_RUN)

    async def _not_ours(self) -> None:
        """Nothing may be sent: somebody took the job away, or has asked to cancel it just now."""
        if (await self._standing()).held:
            await self._closing.end(Status.CANCELED)
        else:
            log.info("job.taken_away", before="sending")

    async def _resume(self, left: OpenCall, remote_id: str) -> None:
        """An earlier worker left a call that was accepted: it is polled, never repeated."""
        found = self._route_of(left)
        if found is None:
            await self._closing.hand_back(CANNOT_RUN)
            return
        live = LiveCall(self._bench, self.job, found[1], self._params, left.id, remote_id)
        log.info("call.resumed", remote_id=remote_id)
        await self._finish(*found, live)

    async def _reconcile(self, left: OpenCall) -> None:
        """An earlier worker left a call that may have been accepted: what is found of it is taken, nothing repeated."""
        found = self._route_of(left)
        if found is None:
            await self._closing.hand_back(CANNOT_RUN)
            return
        model, route = found
        match await trace_of(self._bench, left, self._origin(model, left.provider, left.id), self.job.outputs):
            case Stored(files):
                await self._closing.complete(files, CallOutcome(left.id, "succeeded"))
            case Written(text, charge, cut_short):
                self._closing.learnt = CallOutcome(left.id, "succeeded")
                due = self._charge(Done(text=text), text) if charge is None else charge
                await self._closing.complete_with_text(text, due, cut_short=bool(cut_short))
            case Sendable():
                await self._send_again(model, route, left)
            case Named(remote_id):
                news = Accepted(left.id, remote_id)
                await self._surely(lambda: self._bench.database.write(calls.accepted, news))
                await self._resume(left, remote_id)
            case NoTrace(files):
                await self._without_trace(left, files)
            case StorageAway(why):
                await self._closing.hand_back(TryLater(STORAGE_AGAIN_S, False, why, "storage_failed"))
            case other:
                assert_never(other)

    async def _send_again(self, model: Model, route: Route, left: OpenCall) -> None:
        """The provider makes each of our ids only once: sending it again finds the call, or makes it now."""
        job, presence = self.job, self._bench.presence
        inputs = await self._inputs()
        if not isinstance(inputs, tuple):
            await self._closing.follow(inputs)
            return
        live = LiveCall(self._bench, job, route, self._params, left.id, inputs=inputs)
        again = (job.number, job.fence, left.id, presence.id)
        if await self._surely(lambda: self._bench.database.write(unknown_calls.send_again, *again)):
            await self._finish(model, route, live)
        else:
            log.info("job.taken_away", before="sending again")

    async def _without_trace(self, left: OpenCall, files: Sequence[NewAsset]) -> None:
        match after_not_found(self._bench.rules, left, self.job.seconds_left):
            case Fail() if files:  # not all, but they were made, paid for and stored
                await self._closing.complete(files, CallOutcome(left.id, "succeeded"))
            case GiveUpCall():
                job = self.job
                given_up = await self._surely(
                    lambda: self._bench.database.write(unknown_calls.give_up_on, job.number, job.fence, left.id)
                )
                await (self._start() if given_up else self._closing.follow(not_found(left)))
            case Fail() | TryLater() as decision:
                await self._closing.follow(decision)

    async def _cancel_at_provider(self, left: OpenCall | None) -> None:
        """Best effort, for a call that an earlier worker left open."""
        if left is None or left.remote_id is None or left.provider not in self._bench.providers:
            return
        provider = self._bench.providers[left.provider]
        await stopped_at_provider(provider, left.remote_id, self._bench.pace.cancel_within_s)

    def _route_of(self, left: OpenCall) -> tuple[Model, Route] | None:
        """For a call that was made: its own route, even if it was shut down for new ones since."""
        model = self._bench.catalog.get(self.job.model)
        route = model.route_at(left.provider) if model and left.provider in self._bench.providers else None
        return (model, route) if model and route else None

    async def _inputs(self) -> tuple[Input, ...] | Fail | TryLater:
        """What it starts from, read once for all routes; or what follows from its not being in storage."""
        try:
            if self._loaded is None:
                self._loaded = await load_inputs(self._bench.store, self.job.inputs)
            return self._loaded
        except Gone as error:
            return input_missing(error.what, error.remedy.text)
        except StorageFailed as error:
            log.warning("inputs_not_read", error=str(error), evidence=error.evidence)
            random = self._bench.random()
            return after_storage_failure(self.job, error.what, random, repeatable=True, accepted=False)

    def _estimate_usd(self, route: Route) -> float | None:
        pictures = len(json.loads(self.job.inputs))
        return route.estimate_usd(self._params, self.job.prompt, pictures) or None

    def _charge(self, done: Done, text: str) -> int | None:
        """What the text costs by its use, on the terms of its submission; None where its price is another."""
        if self.job.terms is None:
            return None
        terms = Price.model_validate_json(self.job.terms)
        return terms.used(self._params, done.usage, prompt=self.job.prompt, text=text)

    def _cost_usd(self, route: Route, done: Done) -> float | None:
        """As the provider says, else by the usage it told; None leaves the estimate."""
        return route.used_usd(self._params, done.usage) if done.cost_usd is None else done.cost_usd

    def _spent_usd(self, route: Route, usage: Mapping[str, Any]) -> float | None:
        """What a call has cost that was begun and brought nothing: by its usage, else all that was expected of it."""
        used = route.used_usd(self._params, usage)
        return self._estimate_usd(route) if used is None else used

    async def _open(self, live: LiveCall, route: Route) -> bool | Shut:
        presence, job, usd = self._bench.presence, self.job, self._estimate_usd(route)
        start = Sending(
            live.id,
            job.number,
            job.fence,
            job.attempt,
            route.provider,
            route.model,
            live.repeatable,
            presence.id,
            usd,
            self._bench.toll(route.provider, usd),
        )
        return await self._surely(lambda: self._bench.database.write(calls.sending, start))

    async def _finish(self, model: Model, route: Route, live: LiveCall) -> None:
        self._live = live
        self._closing.learnt = _not_known(live, "internal error")
        if self._draining:
            live.drain()
        answer = await live.answer()
        if isinstance(answer, Done):  # first what was paid for
            await self._settle(model, route, live, answer)
            await self._tell_gate(model, route, live, answer)
        else:
            shut = await self._tell_gate(model, route, live, answer)
            await self._settle(model, route, live, answer, shut)
        self._bench.gates.call_ended()

    async def _tell_gate(self, model: Model, route: Route, live: LiveCall, answer: Answer) -> Shut | None:
        """The provider's gate learns from every answer, whatever becomes of the job. Returns why it is shut now."""
        toll = self._bench.toll(route.provider, self._estimate_usd(route))
        if toll is None:
            return None
        heard = Heard(toll, verdict_of(live, answer, draining=self._draining, model=model))
        shut = await self._surely(lambda: self._bench.database.write(gates.learn, heard))
        self._bench.gates.note(route.provider, shut)
        return shut

    async def _settle(
        self, model: Model, route: Route, live: LiveCall, answer: Answer, shut: Shut | None = None
    ) -> None:
        provider, random = route.provider, self._bench.random()
        match answer:
            case Done():
                usd, request_id = self._cost_usd(route, answer), answer.request_id
                self._closing.learnt = CallOutcome(live.id, "succeeded", usd, None, request_id, live.provider)
                await self._deliver(model, route, live, answer)
            case Rejected(error, usage):
                paid = live.accepted and not live.repeatable
                begun = not live.repeatable and (live.accepted or live.reporter.has_heard or bool(usage))
                spent_usd = self._spent_usd(route, usage) if begun else None
                self._closing.learnt = _over(live, error, spent_usd, may_be_paid=paid)
                decision = after_rejection(self.job, provider, error, random, may_be_paid=begun)
                if live.held_back:
                    decision = LEASE_LOST
                elif live.was_not_accepted:
                    decision = at_breaker(decision, error, shut)
                if live.was_not_accepted and not self._draining and self._routing.goes_on_after(error):
                    await self._fall_back(route, error, decision)
                else:
                    await live.reporter.write_rest()
                    await self._without_result(route, error.message, decision)
            case NoAnswer(why):
                self._closing.learnt = _not_known(live, why)
                await live.reporter.write_rest()
                policy = self._bench.rules.unknown
                decision = after_no_answer(
                    self.job,
                    provider,
                    why,
                    random,
                    repeatable=live.repeatable,
                    policy=policy,
                    findable=live.findable,
                )
                await self._without_result(route, why, DRAINING if self._draining else decision)
            case _:
                assert_never(answer)

    async def _fall_back(self, route: Route, error: ProviderError, decision: Fail | TryLater) -> None:
        """The call is over and has cost nothing: another provider is asked, at the price the job has."""
        log.info("call.falls_back", provider=route.provider, error_class=str(error.error_class), error=error.message)
        await self._closing.record()
        self._closing.learnt, self._live = None, None
        self._routing.is_refused(decision)
        await self._start()

    async def _deliver(self, model: Model, route: Route, live: LiveCall, done: Done) -> None:
        job, free, random = self.job, live.repeatable, self._bench.random()
        origin = self._origin(model, route.provider, live.id)
        if job.kind == "text" and done.text:
            charge = self._charge(done, done.text)
            await self._closing.complete_with_text(done.text, charge, cut_short=done.cut_short)
            return
        if job.kind == "text" or not done.outputs:
            text = "The provider says it is done, but delivered nothing."
            await self._closing.follow(after_spoiled(job, route.provider, text, random, repeatable=free))
            return
        try:
            assets = await upload(self._bench, live, origin, done.outputs[: job.outputs], self._delivery_limit_s())
        except (StorageFailed, NotFetched) as error:
            await self._closing.follow(self._without_files(route, live, error))
        except Spoiled as error:
            text = f"The provider delivered a file that is of no use: {error}"
            await self._closing.follow(after_spoiled(job, route.provider, text, random, repeatable=free))
        else:
            await self._closing.complete(assets, self._closing.learnt)

    def _without_files(self, route: Route, live: LiveCall, error: StorageFailed | NotFetched) -> Fail | TryLater:
        """They were made, and are not in storage."""
        log.warning("delivery_failed", error=str(error), evidence=getattr(error, "evidence", None))
        free, kept = live.repeatable, live.accepted and not live.repeatable
        text = "The files were made, but could not be stored."  # where and why is the operator's: the log has it
        if isinstance(error, NotFetched):
            if not error.can_get_better or not (kept or free):
                return after_lost_file(route.provider, str(error))
            text = f"The files were made, but could not be fetched: {error}"
        if kept:
            self._closing.learnt = None  # the call stays open, to be fetched again
        random = self._bench.random()
        return after_storage_failure(self.job, text, random, repeatable=free, accepted=live.accepted)

    async def _standing(self) -> Standing:
        return await self._surely(lambda: self._bench.database.read(standing, self.job.number, self.job.fence))

    async def _surely(self, work: Callable[[], Awaitable[T]]) -> T:
        return await patiently(work, self._bench.pace.write_again_s)

    def _origin(self, model: Model, provider: str, call_id: str) -> Origin:
        job = self.job
        return Origin(job.id, call_id, provider, job.model, job.prompt, self._params, model.ai_generated)

    def _job_by_now(self) -> ClaimedJob:
        """With the time that is left: an earlier route may have taken some."""
        return self.job._replace(seconds_left=self.job.seconds_left - (local_s() - self._began_s))

    def _delivery_limit_s(self) -> float:
        return max(self._job_by_now().seconds_left, self._bench.pace.deliver_at_least_s)

    async def _without_result(self, route: Route, message: str, decision: Fail | TryLater) -> None:
        """Other reasons to stop come before what the provider's answer alone would lead to."""
        now = await self._standing()
        if not now.held:
            await self._closing.record()
            log.info("job.taken_away", before="ending")
        elif now.cancel_requested:
            await self._closing.end(Status.CANCELED)
        elif self._live is not None and self._live.late:
            text = f"It ran into its time limit. The provider's last word: {message}"
            await self._closing.end(Status.FAILED, error=error_json("deadline_exceeded", text, route.provider))
        else:
            await self._closing.follow(decision)


def _over(live: LiveCall, error: ProviderError, cost_usd: float | None, *, may_be_paid: bool) -> CallOutcome | None:
    """What to record of a rejected call. One whose state nobody understands stays open, to be looked after."""
    if may_be_paid and error.error_class is ErrorClass.PROTOCOL:
        return None
    return CallOutcome(live.id, "failed", cost_usd, error.message, error.request_id, live.provider)


def _not_known(live: LiveCall, why: str) -> CallOutcome | None:
    """What to record of a call without an answer. One that can be resumed by its remote id stays as it is."""
    if live.repeatable:
        return CallOutcome(live.id, "failed", error=why, provider=live.provider)
    return None if live.accepted else CallOutcome(live.id, "unknown", error=why, provider=live.provider)
