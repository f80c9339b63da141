"""The gate of a provider: whether a call may be made now, and what is learnt from its answer.

Pure rules over one row. Times are epoch seconds by the database's clock. A gate belongs to a provider and its key: a
new key has a gate of its own, which is open.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import NamedTuple

from safelight.domain.outcomes import ErrorClass, ProviderError

TRIP_AFTER = 5
"""So many failures in a row open the breaker."""
FIRST_TRIAL_S, LONGEST_TRIAL_WAIT_S = 5.0, 300.0
TRIAL_LASTS_S = 120.0
"""A trial whose outcome was never heard is over by then, and another may pass."""
FIRST_COOLDOWN_S, LONGEST_COOLDOWN_S = 5.0, 300.0
"""Where a provider that is asked too often does not say when to come again."""
DAY_S = 86_400.0
MINUTE_S = 60.0

HARDLY_ANYTHING = 0.05
"""Of the day's ceiling: where less is left, the gate shuts for all that costs."""

TRIPS_AT_ONCE = frozenset({ErrorClass.UNAUTHORIZED, ErrorClass.OUT_OF_CREDIT})
TRIPS_IN_A_ROW = frozenset({ErrorClass.UNAVAILABLE, ErrorClass.TIMEOUT, ErrorClass.PROTOCOL})


class Cause(StrEnum):
    """Why a gate is shut."""

    COOLDOWN = "cooldown"
    BREAKER = "breaker"
    CONCURRENCY = "concurrency"
    REQUESTS_PER_MINUTE = "requests_per_minute"
    SPEND_CEILING = "spend_ceiling"


class Breaker(StrEnum):
    """`closed` lets calls pass, `half_open` one as a trial, `open` none."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


class Toll(NamedTuple):
    """What a call has to pass: the gate of a provider's key, and what the operator allows there."""

    provider: str
    fingerprint: str
    concurrency: int | None = None
    per_minute: int | None = None
    daily_usd: float | None = None

    @property
    def gate_id(self) -> str:
        return f"{self.provider}/{self.fingerprint}"


class Gate(NamedTuple):
    """A gate as its row has it."""

    id: str
    provider: str
    fingerprint: str
    failures: int = 0
    """In a row."""
    cooldown_until: float | None = None
    cooldowns: int = 0
    """In a row."""
    tripped_at: float | None = None
    """Since when the breaker is open; None while it is closed."""
    trips: int = 0
    """In a row: each makes the wait for the next trial longer."""
    trial_at: float | None = None
    """From then on one call may pass."""
    trial_call: str | None = None
    trial_until: float | None = None
    paced_until: float | None = None
    """Where the calls so far reach to, if each takes its even part of a minute."""
    spent_until: float | None = None
    spent_ceiling: float | None = None
    """The ceiling that was reached: under a higher one the gate is open again."""
    error_class: str | None = None
    """Of the last failure."""
    reason: str | None = None
    """The provider's own words then."""
    failed_at: float | None = None


class Shut(NamedTuple):
    """Why no call may be made now. `until` is when that may change by itself, None if nobody knows."""

    provider: str
    cause: Cause
    until: float | None
    why: str
    """Half a sentence for people: `its key is refused: …`."""
    hopeless: bool = False
    """This very call would not pass on another day either."""
    alone: bool = False
    """The gate is open: only this very call is too dear for what is left of the day."""


class Verdict(NamedTuple):
    """What became of a call, as its gate sees it. Without `error` the provider has answered as it should."""

    call: str
    error: ProviderError | None = None
    nothing: bool = False
    """Nothing was learnt: it was stopped from our side."""


def breaker(gate: Gate, now: float) -> Breaker:
    if gate.tripped_at is None:
        return Breaker.CLOSED
    return Breaker.HALF_OPEN if _on_trial(gate, now) or now >= (gate.trial_at or 0.0) else Breaker.OPEN


def hindrance(gate: Gate, toll: Toll, *, open_calls: int, costs: bool, now: float) -> Shut | None:
    """Why a call may not be made now; None if it may. `costs`: whether it counts towards the day's ceiling."""
    if gate.tripped_at is not None:
        if _on_trial(gate, now):
            return Shut(
                gate.provider, Cause.BREAKER, gate.trial_until, f"one call tries whether it works: {trouble(gate)}"
            )
        if gate.trial_at is not None and now < gate.trial_at:
            return Shut(gate.provider, Cause.BREAKER, gate.trial_at, trouble(gate))
    if gate.cooldown_until is not None and now < gate.cooldown_until:
        return Shut(gate.provider, Cause.COOLDOWN, gate.cooldown_until, f"it asked for a pause: {gate.reason}")
    if costs and (shut := _spent(gate, toll, now)):
        return shut
    if toll.concurrency is not None and open_calls >= toll.concurrency:
        why = f"{open_calls} of its calls are open; the operator allows {toll.concurrency} at a time"
        return Shut(gate.provider, Cause.CONCURRENCY, None, why)
    if toll.per_minute is not None and (until := _pace_until(gate, toll.per_minute)) > now:
        why = f"the operator allows {toll.per_minute} calls per minute"
        return Shut(gate.provider, Cause.REQUESTS_PER_MINUTE, until, why)
    return None


def room(gate: Gate, toll: Toll, *, open_calls: int, costs: bool, now: float, at_most: int) -> int:
    """How many calls could pass now, as far as can be told."""
    if hindrance(gate, toll, open_calls=open_calls, costs=costs, now=now):
        return 0
    if gate.tripped_at is not None:
        return 1
    free = at_most if toll.concurrency is None else toll.concurrency - open_calls
    if toll.per_minute is not None:
        free = min(free, 1 + math.floor((now - _pace_until(gate, toll.per_minute)) / _step_s(toll.per_minute)))
        free = min(free, _burst(toll.per_minute))
    return min(free, at_most)


def passed(gate: Gate, toll: Toll, call: str, now: float) -> Gate:
    """A call passes that nothing hinders."""
    if toll.per_minute is not None:
        gate = gate._replace(paced_until=max(now, gate.paced_until or 0.0) + _step_s(toll.per_minute))
    if gate.tripped_at is not None:
        gate = gate._replace(trial_call=call, trial_until=now + TRIAL_LASTS_S)
    return gate


def spent(gate: Gate, ceiling_usd: float, now: float) -> Gate:
    """The day's ceiling would have been passed: shut until midnight UTC."""
    return gate._replace(spent_until=(math.floor(now / DAY_S) + 1) * DAY_S, spent_ceiling=ceiling_usd)


def refunded(gate: Gate) -> Gate:
    """A call that was counted towards the day counts no more: whether the ceiling is reached is open again."""
    return gate._replace(spent_until=None, spent_ceiling=None)


def too_dear(toll: Toll, usd: float) -> Shut:
    """A call that alone costs more than a whole day may."""
    why = f"the call is expected to cost ${usd:.2f}; the operator allows ${toll.daily_usd or 0.0:.2f} a day"
    return Shut(toll.provider, Cause.SPEND_CEILING, None, why, hopeless=True)


def no_room(toll: Toll, usd: float, spent_usd: float) -> Shut | None:
    """A call that does not fit into what is left of the day, while cheaper ones would; None if hardly any would."""
    ceiling_usd = toll.daily_usd or 0.0
    if ceiling_usd - spent_usd < HARDLY_ANYTHING * ceiling_usd:
        return None
    why = f"${spent_usd:.2f} of ${ceiling_usd:.2f} are spent today; the call is expected to cost ${usd:.2f}"
    return Shut(toll.provider, Cause.SPEND_CEILING, None, why, alone=True)


def heard(gate: Gate, verdict: Verdict, now: float, *, sent_at: float | None = None) -> Gate:
    """What the gate makes of an answer. `sent_at`: when the call was sent, for those that are not the trial.

    While the breaker is open only a call sent since then says something about it: others are late news.
    """
    on_trial = gate.trial_call == verdict.call
    if verdict.nothing:
        return gate._replace(trial_call=None, trial_until=None) if on_trial else gate
    counts = gate.tripped_at is None or on_trial or (sent_at is not None and sent_at >= gate.tripped_at)
    error = verdict.error
    if error is None or not _is_about_the_provider(error.error_class):
        return _well(gate) if counts else gate
    if counts:
        gate = gate._replace(error_class=str(error.error_class), reason=error.message, failed_at=now)
    if error.error_class is ErrorClass.RATE_LIMITED:
        return _cooled(gate, error.retry_after_s, now, on_trial=on_trial)
    if not counts:
        return gate
    failures = gate.failures + 1
    gate = gate._replace(failures=failures)
    trips = gate.tripped_at is not None or error.error_class in TRIPS_AT_ONCE or failures >= TRIP_AFTER
    return _tripped(gate, error.retry_after_s, now) if trips else gate


def opened(gate: Gate, now: float) -> Gate:
    """An operator lets the next call try now, whatever has been learnt."""
    gate = gate._replace(cooldown_until=None, cooldowns=0, spent_until=None, spent_ceiling=None)
    return gate if gate.tripped_at is None else gate._replace(trial_at=now, trial_call=None, trial_until=None)


def _well(gate: Gate) -> Gate:
    return gate._replace(
        failures=0, cooldowns=0, tripped_at=None, trips=0, trial_at=None, trial_call=None, trial_until=None
    )


def _cooled(gate: Gate, retry_after_s: float | None, now: float, *, on_trial: bool) -> Gate:
    """It is there, and busy: a trial that hears so may be repeated after the pause.

    During a pause calls from before it hear the same: news only if they name a later time.
    """
    pausing = now < (gate.cooldown_until or 0.0)
    grown_s = 0.0 if pausing else min(LONGEST_COOLDOWN_S, FIRST_COOLDOWN_S * 2.0 ** min(gate.cooldowns, 10))
    until = now + (grown_s if retry_after_s is None else retry_after_s)
    cooldowns = gate.cooldowns if pausing else gate.cooldowns + 1
    gate = gate._replace(cooldown_until=max(until, gate.cooldown_until or 0.0), cooldowns=cooldowns)
    return gate._replace(trial_call=None, trial_until=None) if on_trial else gate


def _tripped(gate: Gate, retry_after_s: float | None, now: float) -> Gate:
    wait_s = min(LONGEST_TRIAL_WAIT_S, FIRST_TRIAL_S * 2.0 ** min(gate.trips, 10))
    return gate._replace(
        tripped_at=now,
        trips=gate.trips + 1,
        trial_at=now + max(wait_s, retry_after_s or 0.0),
        trial_call=None,
        trial_until=None,
    )


def _on_trial(gate: Gate, now: float) -> bool:
    return gate.trial_call is not None and now < (gate.trial_until or 0.0)


def _is_about_the_provider(error_class: ErrorClass) -> bool:
    """Of the others the request is the reason, or one model of many: the provider has answered as it should."""
    return error_class in TRIPS_AT_ONCE | TRIPS_IN_A_ROW or error_class is ErrorClass.RATE_LIMITED


def trouble(gate: Gate) -> str:
    """What opened its breaker, as half a sentence."""
    match gate.error_class:
        case ErrorClass.UNAUTHORIZED:
            return f"its key is refused: {gate.reason}"
        case ErrorClass.OUT_OF_CREDIT:
            return f"its account is out of credit: {gate.reason}"
        case _:
            return f"it failed {gate.failures} times in a row, the last time because: {gate.reason}"


def _spent(gate: Gate, toll: Toll, now: float) -> Shut | None:
    if toll.daily_usd is None or gate.spent_until is None or now >= gate.spent_until:
        return None
    if gate.spent_ceiling is not None and toll.daily_usd > gate.spent_ceiling:
        return None
    why = f"today's spending ceiling of ${toll.daily_usd:.2f} is reached; it opens again at midnight UTC"
    return Shut(gate.provider, Cause.SPEND_CEILING, gate.spent_until, why)


def _burst(per_minute: int) -> int:
    """So many may come at once after a rest."""
    return max(1, per_minute // 4)


def _step_s(per_minute: int) -> float:
    """With a burst, and one more every step, no sixty seconds see more than `per_minute`."""
    return MINUTE_S / (per_minute - _burst(per_minute) + 1)


def _pace_until(gate: Gate, per_minute: int) -> float:
    return (gate.paced_until or 0.0) - (_burst(per_minute) - 1) * _step_s(per_minute)
