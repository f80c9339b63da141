"""The rules of a gate, without a database: what shuts it, what opens it, and how long each lasts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.domain import gates as rules
from safelight.domain.gates import (
    DAY_S,
    TRIAL_LASTS_S,
    TRIP_AFTER,
    Breaker,
    Cause,
    Gate,
    Shut,
    Toll,
    Verdict,
    breaker,
    heard,
    hindrance,
    opened,
    passed,
    room,
    spent,
)
from safelight.domain.outcomes import CAN_GET_BETTER, ErrorClass, ProviderError

NEW = Gate("acme/k1", "acme", "k1")
FREE = Toll("acme", "k1")
SOFT = sorted(rules.TRIPS_IN_A_ROW)
AT_ONCE = sorted(rules.TRIPS_AT_ONCE)
OTHERS = sorted(set(ErrorClass) - rules.TRIPS_IN_A_ROW - rules.TRIPS_AT_ONCE - {ErrorClass.RATE_LIMITED})


def shut(gate: Gate, now: float, toll: Toll = FREE, *, open_calls: int = 0, costs: bool = True) -> Shut | None:
    return hindrance(gate, toll, open_calls=open_calls, costs=costs, now=now)


def bad(call: str, error_class: ErrorClass | str, text: str = "no", retry_after_s: float | None = None) -> Verdict:
    return Verdict(call, ProviderError(ErrorClass(error_class), text, retry_after_s=retry_after_s))


def tripped(now: float = 100.0, error_class: str = "unauthorized", text: str = "bad key") -> Gate:
    return heard(NEW, bad("c", error_class, text), now)


def test_a_gate_lets_everything_through_until_something_is_known() -> None:
    assert shut(NEW, 0.0) is None
    assert breaker(NEW, 0.0) is Breaker.CLOSED


@pytest.mark.parametrize("error_class", AT_ONCE)
def test_a_refused_key_and_an_empty_account_open_the_breaker_at_once_and_say_so(error_class: ErrorClass) -> None:
    gate = tripped(100.0, error_class, "sorry, no")
    found = shut(gate, 101.0)
    assert found is not None
    assert (found.cause, found.until) == (Cause.BREAKER, 105.0)
    assert "sorry, no" in found.why
    assert breaker(gate, 101.0) is Breaker.OPEN


@pytest.mark.parametrize("error_class", SOFT)
def test_other_failures_open_it_only_when_they_come_in_a_row(error_class: ErrorClass) -> None:
    gate = NEW
    for n in range(TRIP_AFTER - 1):
        gate = heard(gate, bad(f"c{n}", error_class), float(n))
        assert shut(gate, float(n)) is None
    assert shut(heard(heard(gate, Verdict("good"), 8.0), bad("c", error_class), 9.0), 9.0) is None
    gate = heard(gate, bad("last", error_class), 9.0)
    assert breaker(gate, 9.0) is Breaker.OPEN


@pytest.mark.parametrize("error_class", OTHERS)
def test_what_is_the_fault_of_a_request_says_that_the_provider_works(error_class: ErrorClass) -> None:
    gate = heard(NEW._replace(failures=TRIP_AFTER - 1), bad("c", error_class), 1.0)
    assert (gate.failures, shut(gate, 1.0)) == (0, None)


@pytest.mark.parametrize("error_class", list(ErrorClass))
def test_a_late_answer_to_a_call_sent_before_moves_an_open_breaker_in_no_direction(error_class: ErrorClass) -> None:
    gate = tripped(100.0)
    for verdict in (Verdict("old"), bad("old", error_class)):
        after = heard(gate, verdict, 103.0, sent_at=99.0)
        assert (after.trial_at, after.tripped_at, after.reason) == (gate.trial_at, gate.tripped_at, gate.reason)


def test_one_trial_passes_and_no_second_while_it_runs() -> None:
    gate = tripped(100.0)
    assert shut(gate, 105.0) is None
    assert room(gate, FREE, open_calls=0, costs=True, now=105.0, at_most=200) == 1
    gate = passed(gate, FREE, "t1", 105.0)
    assert breaker(gate, 106.0) is Breaker.HALF_OPEN
    found = shut(gate, 106.0)
    assert found is not None
    assert found.until == 105.0 + TRIAL_LASTS_S


def test_a_trial_whose_owner_is_gone_expires_by_itself() -> None:
    gate = passed(tripped(100.0), FREE, "t1", 105.0)
    assert shut(gate, 105.0 + TRIAL_LASTS_S) is None
    gate = passed(gate, FREE, "t2", 105.0 + TRIAL_LASTS_S)
    assert (gate.trial_call, shut(gate, 106.0 + TRIAL_LASTS_S) is None) == ("t2", False)


def test_a_trial_that_succeeds_closes_the_breaker_and_forgets_the_failures() -> None:
    gate = heard(passed(tripped(100.0), FREE, "t1", 105.0), Verdict("t1"), 107.0)
    assert (gate.tripped_at, gate.trips, gate.failures, shut(gate, 107.0)) == (None, 0, 0, None)


def test_a_trial_that_expired_and_succeeds_after_all_counts_because_it_was_sent_since() -> None:
    gate = passed(passed(tripped(100.0), FREE, "t1", 105.0), FREE, "t2", 226.0)
    assert shut(heard(gate, Verdict("t1"), 230.0, sent_at=105.0), 230.0) is None
    assert shut(heard(gate, Verdict("t1"), 230.0, sent_at=99.0), 230.0) is not None


def test_each_trial_that_fails_doubles_the_wait_up_to_five_minutes() -> None:
    gate, now, waits = tripped(100.0), 100.0, []
    for n in range(9):
        waits.append((gate.trial_at or 0.0) - now)
        now = gate.trial_at or 0.0
        gate = heard(passed(gate, FREE, f"t{n}", now), bad(f"t{n}", "unauthorized"), now)
    assert waits == [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 300.0]


def test_a_trial_that_was_stopped_from_our_side_frees_the_place_at_once() -> None:
    gate = passed(tripped(100.0), FREE, "t1", 105.0)
    gate = heard(gate, Verdict("t1", nothing=True), 106.0)
    assert shut(gate, 106.0) is None
    assert heard(gate, Verdict("other", nothing=True), 107.0) == gate


def test_a_provider_that_says_when_it_will_be_back_is_not_tried_before() -> None:
    gate = NEW._replace(failures=TRIP_AFTER - 1)
    assert heard(gate, bad("c", "unavailable", retry_after_s=60.0), 100.0).trial_at == 160.0


def test_too_many_requests_make_a_pause_of_the_length_that_was_asked_for() -> None:
    gate = heard(NEW, bad("c", "rate_limited", "slow down", 30.0), 100.0)
    found = shut(gate, 129.9)
    assert found is not None
    assert (found.cause, found.until) == (Cause.COOLDOWN, 130.0)
    assert "slow down" in found.why
    assert shut(gate, 130.0) is None
    assert breaker(gate, 101.0) is Breaker.CLOSED


def test_a_pause_nobody_measured_grows_with_each_refusal_and_is_forgotten_after_a_success() -> None:
    gate, waits = NEW, []
    for n in range(8):
        now = 1000.0 * n
        gate = heard(gate, bad(f"c{n}", "rate_limited"), now)
        waits.append((gate.cooldown_until or 0.0) - now)
    assert waits == [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]
    gate = heard(heard(gate, Verdict("ok"), 9000.0), bad("c", "rate_limited"), 9000.0)
    assert gate.cooldown_until == 9005.0


def test_many_calls_that_hear_of_one_pause_make_it_no_longer() -> None:
    gate = NEW
    for n in range(20):
        gate = heard(gate, bad(f"c{n}", "rate_limited"), 100.0 + n / 10)
    assert gate.cooldown_until == 105.0
    assert heard(gate, bad("later", "rate_limited"), 105.0).cooldown_until == 115.0


def test_a_shorter_pause_does_not_cut_a_longer_one() -> None:
    gate = heard(heard(NEW, bad("a", "rate_limited", "x", 60.0), 100.0), bad("b", "rate_limited", "y", 1.0), 101.0)
    assert gate.cooldown_until == 160.0


def test_a_trial_that_hears_of_too_many_requests_is_repeated_after_the_pause() -> None:
    gate = heard(passed(tripped(100.0), FREE, "t1", 105.0), bad("t1", "rate_limited", "busy", 20.0), 106.0)
    assert breaker(gate, 107.0) is Breaker.HALF_OPEN
    assert (shut(gate, 125.0) is None, shut(gate, 126.0) is None) == (False, True)


def test_no_more_calls_are_open_than_the_operator_allows() -> None:
    toll = FREE._replace(concurrency=2)
    found = shut(NEW, 0.0, toll, open_calls=2)
    assert found is not None
    assert (found.cause, found.until) == (Cause.CONCURRENCY, None)
    assert shut(NEW, 0.0, toll, open_calls=1) is None
    assert room(NEW, toll, open_calls=1, costs=True, now=0.0, at_most=200) == 1


@given(
    per_minute=st.integers(1, 120),
    waits=st.lists(st.floats(0.0, 20.0, allow_nan=False), min_size=1, max_size=200),
)
def test_in_no_minute_are_more_calls_begun_than_allowed(per_minute: int, waits: list[float]) -> None:
    toll, gate, now, began = FREE._replace(per_minute=per_minute), NEW, 1e9, list[float]()
    for wait in waits:
        now += wait
        while shut(gate, now, toll) is None:
            gate = passed(gate, toll, "c", now)
            began.append(now)
            assert len(began) < 10_000
    for n, at in enumerate(began):
        assert sum(1 for other in began[n:] if other < at + 60.0 - 1e-4) <= per_minute


@given(per_minute=st.integers(1, 120))
def test_a_patient_caller_gets_nearly_as_many_as_allowed(per_minute: int) -> None:
    toll, gate, now, n = FREE._replace(per_minute=per_minute), NEW, 1e9, 0
    while now < 1e9 + 600.0:
        found = shut(gate, now, toll)
        if found is None:
            assert room(gate, toll, open_calls=0, costs=True, now=now, at_most=200) >= 1
            gate, n = passed(gate, toll, "c", now), n + 1
        else:
            assert found.cause is Cause.REQUESTS_PER_MINUTE
            now = max(now + 0.001, found.until or 0.0)
    assert n >= 10 * per_minute * 0.7


def test_a_reached_ceiling_shuts_until_midnight_for_what_costs_and_opens_under_a_higher_one() -> None:
    noon = 20_000 * DAY_S + DAY_S / 2
    toll = FREE._replace(daily_usd=5.0)
    gate = spent(NEW, 5.0, noon)
    found = shut(gate, noon, toll)
    assert found is not None
    assert (found.cause, found.until) == (Cause.SPEND_CEILING, 20_001 * DAY_S)
    assert "$5.00" in found.why
    assert shut(gate, noon, toll, costs=False) is None
    assert shut(gate, noon, toll._replace(daily_usd=6.0)) is None
    assert shut(gate, noon, toll._replace(daily_usd=None)) is None
    assert shut(gate, 20_001 * DAY_S, toll) is None


def test_an_operator_opens_a_gate_for_the_next_call() -> None:
    gate = opened(passed(tripped(100.0), FREE, "t1", 105.0)._replace(cooldown_until=900.0), 106.0)
    assert shut(gate, 106.0) is None
    assert breaker(gate, 106.0) is Breaker.HALF_OPEN
    assert shut(passed(gate, FREE, "t2", 106.0), 106.0) is not None


VERDICTS = st.one_of(
    st.sampled_from([Verdict("t"), Verdict("x"), Verdict("t", nothing=True)]),
    st.builds(bad, st.sampled_from(["t", "x"]), st.sampled_from(list(ErrorClass)), st.just("w"),
              st.one_of(st.none(), st.floats(0.0, 3600.0))),
)  # fmt: skip


@given(st.lists(st.tuples(VERDICTS, st.floats(0.0, 100.0), st.booleans()), max_size=40))
def test_whatever_is_heard_a_gate_lets_a_call_through_again_within_the_hour(
    steps: list[tuple[Verdict, float, bool]],
) -> None:
    gate, now = NEW, 1e9
    for verdict, wait, passes in steps:
        now += wait
        if passes and shut(gate, now) is None:
            gate = passed(gate, FREE, "t", now)
        gate = heard(gate, verdict, now, sent_at=now - 1)
        found = shut(gate, now)
        assert found is None or (found.until is not None and now < found.until <= now + 3600.0)
    assert shut(gate, now + 3600.0) is None


def test_every_class_that_can_get_better_but_a_cold_start_is_the_provider_s() -> None:
    assert CAN_GET_BETTER - {ErrorClass.COLD_START} == rules.TRIPS_IN_A_ROW | {ErrorClass.RATE_LIMITED}
