"""One provider call while it lasts: start or resume it, poll it, with one eye on whether it is still wanted.

It ends no job: it returns what the provider answered, or that nobody knows.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, TypeGuard

import structlog

from safelight.catalog.model import Route
from safelight.domain.clock import local_s
from safelight.domain.jobs import Stage
from safelight.domain.outcomes import Done, ErrorClass, Pending, ProviderError, Rejected, RemoteState
from safelight.domain.text import presentable
from safelight.events.hub import Waiter
from safelight.providers.protocol import AskLater, Finds, Generation, Hears, Input, NotSent, Provider
from safelight.services import calls
from safelight.services.claimable import ClaimedJob
from safelight.services.progress import Standing, standing
from safelight.telemetry import metrics
from safelight.telemetry.await_points import crashable
from safelight.worker.bench import Bench
from safelight.worker.patience import patiently
from safelight.worker.polling import PollTimes
from safelight.worker.reporter import Reporter

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The call raised, was cut off, or stopped because it was told to. What the provider made of it is not known."""

    why: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "why", presentable(self.why))


Answer = Done | Rejected | NoAnswer


class LiveCall:
    """The call `call_id` for a claimed job. With `remote_id` it was accepted earlier and is only polled.

    `inputs` are what it starts from, in memory.
    """

    def __init__(
        self,
        bench: Bench,
        job: ClaimedJob,
        route: Route,
        params: dict[str, Any],
        call_id: str,
        remote_id: str | None = None,
        inputs: tuple[Input, ...] = (),
    ) -> None:
        self._bench, self._job, self._route, self._params = bench, job, route, params
        self._inputs = inputs
        self._provider = bench.providers[route.provider]
        self._remote_id = remote_id
        self._draining = False
        self.id = call_id
        self.repeatable = self._provider.repeatable
        self.reporter = Reporter(
            bench.database, job, stops_when_lost=self.repeatable, may_send=bench.presence.lease_of_now()
        )
        self.held_back = False
        """Whether this very process kept the request from leaving: its lease was lost at the last moment."""
        self.late = False
        """Whether it ran into the job's deadline."""

    @property
    def provider(self) -> str:
        """The name of the provider that is called."""
        return self._route.provider

    @property
    def accepted(self) -> bool:
        """Whether the provider gave it a name, under which it can be resumed."""
        return self._remote_id is not None

    @property
    def was_not_accepted(self) -> bool:
        """Of a call that was rejected: whether the provider has done nothing for it, in time and unasked."""
        prevented = self.late or self.held_back or self.reporter.stopped
        return not (prevented or self.accepted or self.reporter.has_heard)

    @property
    def limit_s(self) -> float:
        """How long it may take: the job's deadline leaves time to end."""
        pace, left_s = self._bench.pace, self._job.seconds_left
        return max(1.0, left_s - min(pace.stop_before_deadline_s, left_s * pace.stop_before_deadline_share))

    def drain(self) -> None:
        """Let go of it soon; an accepted call goes on at the provider, for another worker to resume."""
        self._draining = True
        self._stop()

    def hear(self, standing: Standing) -> None:
        """The process has looked at its rows: whether this call's job is still ours and still wanted."""
        if self.reporter.is_to_stop(standing):
            self._stop()

    def _stop(self) -> None:
        self.reporter.stopped = True
        self._bench.hub.wake([f"stop:{self._job.id}", f"call:{self.id}"])

    async def answer(self) -> Answer:
        """The provider's answer, before the job's deadline and while somebody wants it."""
        began_s = local_s()
        answer = await self._answer()
        outcome = "succeeded" if isinstance(answer, Done) else "failed" if isinstance(answer, Rejected) else "unknown"
        metrics.PROVIDER_CALL.labels(self._route.provider, outcome).observe(local_s() - began_s)
        return answer

    async def _answer(self) -> Answer:
        pace = self._bench.pace
        call = asyncio.create_task(crashable(self._make()))
        watch = asyncio.create_task(crashable(self._watch()))
        try:
            ends_s = local_s() + self.limit_s
            done, _ = await asyncio.wait({call, watch}, timeout=self.limit_s, return_when=asyncio.FIRST_COMPLETED)
            if call not in done and _has_failed(watch):  # nobody asked to stop it: that would have it paid again
                done, _ = await asyncio.wait({call}, timeout=max(0.0, ends_s - local_s()))
            if call not in done:
                self.late = not done
                self._stop()
                await asyncio.wait({call}, timeout=pace.stop_grace_s)
            return await _answer_of(call)
        finally:
            await _end_watch(watch)

    async def _make(self) -> Answer:
        begun = await self._begin()
        if isinstance(begun, Pending):
            with self._bench.hub.waiting(f"call:{self.id}", by_name_only=True) as waiter:
                answer = await self._poll_until_answered(begun, waiter)
        else:
            answer = begun
        return NoAnswer(answer.error.message) if self._only_stopped(answer) else answer

    async def _poll_until_answered(self, state: Pending, waiter: Waiter) -> Answer:
        """Ask now and then, and at once when the provider has said something by itself: that rings."""
        latest: RemoteState = state
        times, shown = PollTimes(self._bench.pace), None
        while isinstance(latest, Pending):
            progress = latest.progress or 0.0
            stage = Stage.PROVIDER_QUEUE if latest.is_queued else Stage.RUNNING
            if (stage, progress) == shown and not self.reporter.stopped:  # nothing new: a thousand calls may wait
                pass
            elif not await self.reporter(progress, stage=stage):
                return await self._let_go(latest.remote_id)
            shown = stage, progress
            await waiter.wait(times.next_s())
            waiter.clear()
            if self._draining:
                return await self._let_go(latest.remote_id)
            latest = await self._poll(latest, times)
        return latest

    async def _begin(self) -> RemoteState:
        if self._remote_id is not None:
            return Pending(self._remote_id)
        job, callback_url = self._job, self._callback_url()
        generation = Generation(job.kind, self._route.model, job.prompt, self._params, self._inputs, callback_url)
        try:
            state = await self._provider.start(generation, self.id, self.reporter)
        except NotSent:
            self.held_back = not self.reporter.may_send()
            raise
        if isinstance(state, Pending):
            self._remote_id = state.remote_id
            database, news = self._bench.database, calls.Accepted(self.id, state.remote_id)
            await patiently(lambda: database.write(calls.accepted, news), self._bench.pace.write_again_s)
        return state

    @property
    def findable(self) -> bool:
        """Whether its provider could still tell of it: it has a list, calls back, or makes each of our ids once."""
        return isinstance(self._provider, Finds) or self._provider.idempotent or self._callback_url() is not None

    def _callback_url(self) -> str | None:
        hears = isinstance(self._provider, Hears)
        return self._bench.callback_url(self._route.provider, self.id) if hears else None

    async def _poll(self, before: Pending, times: PollTimes) -> RemoteState:
        """Asking again costs nothing: a poll that fails leaves everything as it was."""
        try:
            return await self._provider.poll(before.remote_id)
        except AskLater as error:
            log.info("poll_put_off", remote_id=before.remote_id, error=str(error), retry_after_s=error.retry_after_s)
            times.put_off(error.retry_after_s)
            return before
        except Exception as error:  # the provider's own: the deadline ends it
            log.warning("poll_failed", remote_id=before.remote_id, error=f"{type(error).__name__}: {error}")
            times.put_off(None)
            return before

    def _only_stopped(self, state: Answer) -> TypeGuard[Rejected]:
        """Whether we are its only reason, and the job goes on: of a free call, or at the end of a drain.

        A paid text that a drain broke off is paid for in part: like a cut call it is never simply made again.
        """
        told = self.reporter.told_to_stop and (self.repeatable or self._draining)
        return told and isinstance(state, Rejected) and state.error.error_class is ErrorClass.UNAVAILABLE

    async def _let_go(self, remote_id: str) -> Answer:
        if self._draining:
            return NoAnswer("it is handed over to another worker")
        if await stopped_at_provider(self._provider, remote_id, self._bench.pace.cancel_within_s):
            return Rejected(ProviderError(ErrorClass.UNAVAILABLE, "stopped"))
        return NoAnswer("the provider could not be told to stop it")

    async def _watch(self) -> None:
        """Return when the call is to stop: its job is canceled, or no longer ours, or this worker drains.

        It looks only when woken; that a wake-up may be lost is made up for by the look of the whole process (`hear`).
        """
        with self._bench.hub.waiting(f"stop:{self._job.id}") as waiter:
            while not self.reporter.stopped:
                if await waiter.wait(self._bench.pace.look_again_s):
                    waiter.clear()
                    self.hear(await self._look())

    async def _look(self) -> Standing:
        """A look that fails cuts no call, whatever the reason."""
        try:
            return await self._bench.database.read(standing, self._job.number, self._job.fence)
        except Exception as error:  # the edge of the watch's loop
            log.debug("standing_unknown", error=f"{type(error).__name__}: {error}")
            return Standing(held=True, cancel_requested=False)


async def stopped_at_provider(provider: Provider, remote_id: str, within_s: float) -> bool:
    """Ask it to stop an accepted call, best effort. False: it may still run; its cost is for whoever hears of it."""
    try:
        async with asyncio.timeout(within_s):
            await provider.cancel(remote_id)
    except Exception as error:  # the provider's own
        log.warning("cancel_failed", remote_id=remote_id, error=f"{type(error).__name__}: {error}")
        return False
    return True


def _has_failed(watch: asyncio.Task[None]) -> bool:
    return watch.done() and not watch.cancelled() and watch.exception() is not None


async def _end_watch(watch: asyncio.Task[None]) -> None:
    """Whatever became of the watch, it never stands in the way of an answer."""
    watch.cancel()
    await asyncio.wait({watch})
    if not watch.cancelled() and (error := watch.exception()):
        log.error("watch_failed", exc_info=error)


async def _answer_of(call: asyncio.Task[Answer]) -> Answer:
    """What the task found out; one that did not end in its grace is cut off."""
    if not call.done():
        call.cancel()
    try:
        return await call
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) and task.cancelling():
            raise
        return NoAnswer("it was cut off")
    except NotSent as error:
        return Rejected(ProviderError(ErrorClass.UNAVAILABLE, f"The request was not sent: {error}"))
    except Exception as error:  # whatever an adapter raises is an answer of sorts
        log.warning("provider_raised", exc_info=error)
        return NoAnswer(f"{type(error).__name__}: {error}")
