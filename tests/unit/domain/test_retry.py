"""How long a job waits for its next try, and which refusals count as one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.domain.outcomes import CAN_GET_BETTER, SNOOZES, ErrorClass, ProviderError
from safelight.domain.retry import BASE_S, LONGEST_S, delay_s, retry_after_s, uses_attempt

jitter = st.floats(min_value=0, max_value=1)
attempts = st.integers(min_value=1, max_value=1000)


@given(attempts, jitter)
def test_a_delay_is_never_negative_and_never_longer_than_the_longest(attempt: int, random: float) -> None:
    assert 0 <= delay_s(attempt, random) <= LONGEST_S


@given(attempts, jitter)
def test_with_the_same_luck_a_later_attempt_never_waits_less(attempt: int, random: float) -> None:
    assert delay_s(attempt + 1, random) >= delay_s(attempt, random)


@given(attempts, jitter, jitter)
def test_the_jitter_spreads_delays_over_the_whole_span(attempt: int, one: float, other: float) -> None:
    ceiling = delay_s(attempt, 1.0)
    assert delay_s(attempt, 0.0) == 0.0
    assert delay_s(attempt, one) == pytest.approx(ceiling * one)
    assert (delay_s(attempt, one) <= delay_s(attempt, other)) == (one <= other) or one * ceiling == other * ceiling


def test_the_span_begins_at_five_seconds_doubles_and_ends_at_five_minutes() -> None:
    assert [delay_s(attempt, 1.0) for attempt in range(1, 9)] == [5, 10, 20, 40, 80, 160, 300, 300]
    assert (BASE_S, LONGEST_S) == (5.0, 300.0)


@given(st.sampled_from(list(ErrorClass)), st.floats(min_value=0, max_value=86_400), attempts, jitter)
def test_what_the_provider_asked_for_wins(error_class: ErrorClass, asked_s: float, attempt: int, random: float) -> None:
    assert retry_after_s(ProviderError(error_class, "busy", retry_after_s=asked_s), attempt, random) == asked_s
    assert retry_after_s(ProviderError(error_class, "busy"), attempt, random) == delay_s(attempt, random)


@pytest.mark.parametrize("error_class", list(ErrorClass))
def test_only_a_busy_or_loading_provider_costs_no_attempt(error_class: ErrorClass) -> None:
    snoozes = error_class in {ErrorClass.RATE_LIMITED, ErrorClass.COLD_START}
    assert uses_attempt(ProviderError(error_class, "no")) == (not snoozes)


def test_a_snooze_can_always_get_better() -> None:
    assert SNOOZES < CAN_GET_BETTER < set(ErrorClass)


@pytest.mark.parametrize("error_class", list(ErrorClass))
def test_what_the_caller_or_operator_must_change_cannot_get_better_by_waiting(error_class: ErrorClass) -> None:
    hopeless = {"invalid_request", "content_rejected", "unauthorized", "out_of_credit", "model_retired"}
    assert ProviderError(error_class, "no").can_get_better == (error_class not in hopeless)
