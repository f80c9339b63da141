"""What follows from a call that brought nothing: fail, or try again later. Pure: the attempt carries it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from safelight.domain import retry
from safelight.domain.outcomes import ErrorClass, ProviderError
from safelight.domain.text import presentable
from safelight.domain.unknown import UnknownPolicy, look_again_in_s
from safelight.services.calls import OpenCall
from safelight.services.claimable import ClaimedJob
from safelight.services.job_error import error_json
from safelight.worker.bench import Rules


@dataclass(frozen=True, slots=True)
class Fail:
    """The job ends. `error` is the JSON shown to the user."""

    error: str


@dataclass(frozen=True, slots=True)
class TryLater:
    due_in_s: float
    uses_attempt: bool
    reason: str
    code: str
    waits_for: str | None = None
    """What lets it in again, instead of a time."""


SHORTEST_SNOOZE_S = 1.0
"""A snooze uses no attempt: nothing else would keep a `Retry-After: 0` from being asked again without a pause."""


def after_rejection(
    job: ClaimedJob, provider: str, error: ProviderError, random: float, *, may_be_paid: bool = False
) -> Fail | TryLater:
    """Errors that cannot get better never retry; the others do while attempts are left.

    A job that only fetches the result of an earlier call never makes one of its own: that may cost its user nothing.
    An answer that nobody understands about a call that was accepted (`may_be_paid`) is no proof that it is over.
    """
    not_understood = may_be_paid and error.error_class is ErrorClass.PROTOCOL
    if not error.can_get_better or job.resumed_call is not None or not_understood:
        return Fail(error_json(str(error.error_class), error.message, provider, error))
    uses_attempt = retry.uses_attempt(error)
    if uses_attempt and job.attempt >= job.max_attempts:
        text = f"It failed {job.attempt} times; the last time because: {error.message}"
        return Fail(error_json("retries_exhausted", text, provider, error))
    due_in_s = retry.retry_after_s(error, job.attempt, random)
    if not uses_attempt:
        due_in_s = max(due_in_s, SHORTEST_SNOOZE_S)
    return TryLater(due_in_s, uses_attempt, error.message, str(error.error_class))


def after_storage_failure(
    job: ClaimedJob, message: str, random: float, *, repeatable: bool, accepted: bool
) -> Fail | TryLater:
    """The files could not be kept: another try while attempts are left, if making them again costs nothing.

    What a provider keeps under a remote id is fetched again until the deadline.
    """
    if accepted:
        return TryLater(max(SHORTEST_SNOOZE_S, retry.delay_s(2, random)), False, presentable(message), "storage_failed")
    if not repeatable or job.attempt >= job.max_attempts:
        return Fail(error_json("storage_failed", message))
    return TryLater(retry.delay_s(job.attempt, random), True, presentable(message), "storage_failed")


def after_lost_file(provider: str, why: str) -> Fail:
    """It was made, and its address does not lead to it, or no longer. Nobody pays twice for it."""
    text = f"{provider} made the files, but they cannot be fetched: {why}"
    return Fail(error_json(str(ErrorClass.UNAVAILABLE), text, provider, remedy="Generate it again."))


def input_missing(message: str, remedy: str) -> Fail:
    """What it was to start from is not there any more: no other try would find it."""
    return Fail(error_json("storage_failed", message, remedy=remedy))


def after_spoiled(job: ClaimedJob, provider: str, message: str, random: float, *, repeatable: bool) -> Fail | TryLater:
    """The provider delivered nothing that can be used. Nobody pays twice for it."""
    error = ProviderError(ErrorClass.PROTOCOL, message)
    if repeatable:
        return after_rejection(job, provider, error, random)
    return Fail(error_json(str(error.error_class), error.message, provider, error))


def after_no_answer(
    job: ClaimedJob,
    provider: str,
    why: str,
    random: float,
    *,
    repeatable: bool,
    policy: UnknownPolicy,
    findable: bool = True,
) -> Fail | TryLater:
    """Nobody knows what became of the call: only one that is free may be made again (P2).

    One that can be found nowhere is not waited for: only this worker could have heard an answer, and it has heard none.
    """
    if repeatable:
        return after_rejection(job, provider, ProviderError(ErrorClass.PROTOCOL, why), random)
    if policy is UnknownPolicy.FAIL_AND_RELEASE or (policy is UnknownPolicy.RECONCILE and not findable):
        return Fail(error_json("provider_unknown", _may_be_accepted(provider, why), provider))
    due_in_s = 0.0 if policy is UnknownPolicy.RETRY_ONCE else look_again_in_s(0.0)
    return TryLater(due_in_s, False, presentable(_may_be_accepted(provider, why)), "provider_unknown")


@dataclass(frozen=True, slots=True)
class GiveUpCall:
    """The operator accepts paying twice: another call is made beside the unknown one."""


LAST_LOOK_BEFORE_S = 5.0
"""The last look is to come so long before the deadline: afterwards nobody can choose how the job ends."""


def after_not_found(rules: Rules, left: OpenCall, seconds_left: float) -> Fail | TryLater | GiveUpCall:
    """A call that may have been accepted was looked for in vain, which proves nothing."""
    ends_in_s = min(rules.reconcile_s - left.unknown_s, seconds_left - LAST_LOOK_BEFORE_S)
    match rules.unknown:
        case UnknownPolicy.RETRY_ONCE:
            return GiveUpCall()
        case UnknownPolicy.RECONCILE if ends_in_s > 0:
            text = _may_be_accepted(left.provider, "it is being looked for")
            return TryLater(min(look_again_in_s(left.unknown_s), max(1.0, ends_in_s)), False, text, "provider_unknown")
        case UnknownPolicy.RECONCILE | UnknownPolicy.FAIL_AND_RELEASE:
            return not_found(left)
        case _:
            assert_never(rules.unknown)


def not_found(left: OpenCall) -> Fail:
    """Nothing more is waited for. Its provider may still deliver: then the files are kept, and nobody pays."""
    looked = f"it was looked for during {left.unknown_s:.0f} s and not found"
    return Fail(error_json("provider_unknown", _may_be_accepted(left.provider, looked), left.provider))


def nothing_to_resume() -> Fail:
    """The call whose result was to be fetched is over."""
    text = "The call that it was to resume is over: nothing more can be fetched from it."
    return Fail(error_json("unavailable", text, remedy="Generate it again."))


def _may_be_accepted(provider: str, why: str) -> str:
    return f"The call to {provider} ended without an answer ({why}); it may or may not have been accepted."
