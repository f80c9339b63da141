"""What follows from a call that brought nothing: fail, or try again later. Pure: the attempt carries it out."""

from __future__ import annotations

from dataclasses import dataclass

from safelight.domain import retry
from safelight.domain.outcomes import ErrorClass, ProviderError
from safelight.domain.text import presentable
from safelight.services.claimable import ClaimedJob
from safelight.services.job_error import error_json


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


SHORTEST_SNOOZE_S = 1.0
"""A snooze uses no attempt: nothing else would keep a `Retry-After: 0` from being asked again without a pause."""


def after_rejection(job: ClaimedJob, provider: str, error: ProviderError, random: float) -> Fail | TryLater:
    """Errors that cannot get better never retry; the others do while attempts are left."""
    if not error.can_get_better:
        return Fail(error_json(str(error.error_class), error.message, provider, error))
    uses_attempt = retry.uses_attempt(error)
    if uses_attempt and job.attempt >= job.max_attempts:
        text = f"It failed {job.attempt} times; the last time because: {error.message}"
        return Fail(error_json("retries_exhausted", text, provider, error))
    due_in_s = retry.retry_after_s(error, job.attempt, random)
    if not uses_attempt:
        due_in_s = max(due_in_s, SHORTEST_SNOOZE_S)
    return TryLater(due_in_s, uses_attempt, error.message, str(error.error_class))


def after_storage_failure(job: ClaimedJob, message: str, random: float, *, repeatable: bool) -> Fail | TryLater:
    """The files could not be kept: another try while attempts are left, if making them again costs nothing."""
    if not repeatable or job.attempt >= job.max_attempts:
        return Fail(error_json("storage_failed", message))
    return TryLater(retry.delay_s(job.attempt, random), True, presentable(message), "storage_failed")


def after_spoiled(job: ClaimedJob, provider: str, message: str, random: float, *, repeatable: bool) -> Fail | TryLater:
    """The provider delivered nothing that can be used. Nobody pays twice for it."""
    error = ProviderError(ErrorClass.PROTOCOL, message)
    if repeatable:
        return after_rejection(job, provider, error, random)
    return Fail(error_json(str(error.error_class), error.message, provider, error))


def after_no_answer(job: ClaimedJob, provider: str, why: str, random: float, *, repeatable: bool) -> Fail | TryLater:
    """Nobody knows what became of the call: only one that is free may be made again (P2)."""
    if repeatable:
        return after_rejection(job, provider, ProviderError(ErrorClass.PROTOCOL, why), random)
    text = f"The call to {provider} ended without an answer ({why}); it may or may not have been accepted."
    return Fail(error_json("provider_unknown", text, provider))
