"""Which route an attempt takes: the first whose provider is here, still serves the model, and lets calls through.

Another one is taken only after a provider has provably not accepted, and for a reason that need not hold elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from safelight.catalog.model import Model, Route
from safelight.domain.gates import Cause, Shut, Verdict
from safelight.domain.outcomes import Done, ErrorClass, ProviderError, Rejected
from safelight.services.claimable import ClaimedJob
from safelight.services.gate_parking import gate_of
from safelight.services.job_error import error_json
from safelight.worker.bench import Bench
from safelight.worker.decide import Fail, TryLater
from safelight.worker.live_call import Answer, LiveCall, NoAnswer

FALLS_BACK = frozenset(
    {
        ErrorClass.RATE_LIMITED,
        ErrorClass.UNAUTHORIZED,
        ErrorClass.OUT_OF_CREDIT,
        ErrorClass.UNAVAILABLE,
        ErrorClass.MODEL_RETIRED,
    }
)
"""Another provider may do better. One that gets the model ready (`cold_start`) is waited for: it was preferred."""

ALONE_AGAIN_S = 60.0
"""A call that is too dear for what is left of a day is tried again: calls that failed give back what they cost."""


class Routing:
    """The routes of one attempt, and why those that were tried lead nowhere."""

    def __init__(self, bench: Bench, job: ClaimedJob) -> None:
        self._bench, self._job = bench, job
        self._tried: set[str] = set()
        self._shut: list[Shut] = []
        self._refusal: Fail | TryLater | None = None

    def left(self) -> Iterator[tuple[Model, Route]]:
        """Routes that were not tried yet, in order of preference. A provider that is taken counts as tried."""
        for model, route in self._untried():
            self._tried.add(route.provider)
            yield model, route

    def goes_on_after(self, error: ProviderError) -> bool:
        """Whether another route is worth trying after a call that was provably not accepted."""
        return error.error_class in FALLS_BACK and bool(self._untried())

    def is_shut(self, shut: Shut) -> None:
        self._shut.append(shut)

    def is_refused(self, decision: Fail | TryLater) -> None:
        """What would follow from the latest refusal if there were no other route."""
        self._refusal = decision

    def decision(self) -> Fail | TryLater | None:
        """What follows when no route is left; None if there was none to begin with."""
        passable = [shut for shut in self._shut if not shut.hopeless]
        if passable and not isinstance(self._refusal, TryLater):
            return wait_at(min(passable, key=lambda shut: (not shut.alone, shut.until or 0.0)))
        if self._refusal is None and self._shut:
            return _never(self._shut[0])
        return self._refusal

    def _untried(self) -> list[tuple[Model, Route]]:
        bench, model = self._bench, self._bench.catalog.get(self._job.model)
        if model is None:
            return []
        usable = model.usable_routes(configured=bench.providers, today=bench.today(), pin=self._job.provider_pin)
        return [(model, route) for route in usable if route.provider not in self._tried]


def wait_at(shut: Shut) -> TryLater:
    """Nothing was tried: the job waits until that gate lets it through, or for itself if the gate is open."""
    if shut.alone:
        return TryLater(ALONE_AGAIN_S, False, f"{shut.provider} does not take it today: {shut.why}.", str(shut.cause))
    reason = f"{shut.provider} takes no calls now: {shut.why}."
    return TryLater(0.0, False, reason, str(shut.cause), waits_for=gate_of(shut.provider))


def at_breaker(decision: Fail | TryLater, error: ProviderError, shut: Shut | None) -> Fail | TryLater:
    """A provider that takes nobody's calls is no fault of the job that found it out: it waits, and no try is used."""
    if shut is None or shut.cause is not Cause.BREAKER or not error.can_get_better:
        return decision
    return wait_at(shut)


def _never(shut: Shut) -> Fail:
    text = f"It can never be made at {shut.provider}: {shut.why}."
    return Fail(error_json(str(shut.cause), text, shut.provider))


def verdict_of(live: LiveCall, answer: Answer, *, draining: bool, model: Model) -> Verdict:
    """What an answer says about the provider. One that was stopped from our side says nothing."""
    ours = live.reporter.stopped and not _kept_silent(live, model)
    match answer:
        case Done():
            return Verdict(live.id)
        case Rejected(error):
            return Verdict(live.id, error, live.held_back or ours)
        case NoAnswer(why):
            return Verdict(live.id, ProviderError(ErrorClass.TIMEOUT, why), draining or ours)
        case _:
            assert_never(answer)


def _kept_silent(live: LiveCall, model: Model) -> bool:
    """Whether a call that ran into its job's deadline says something about its provider, and not about that deadline.

    One that was accepted or reported is with a provider that is there; any may be late that had too little time.
    """
    heard = live.accepted or live.reporter.has_heard
    return live.late and not heard and live.limit_s >= model.longest_s
