"""What follows from a call that brought nothing, decided without a database."""

from __future__ import annotations

import json
from typing import Any

import pytest

from safelight.domain.outcomes import ErrorClass, ProviderError
from safelight.domain.unknown import UnknownPolicy
from safelight.services.calls import OpenCall
from safelight.services.claimable import ClaimedJob
from safelight.worker.bench import Rules
from safelight.worker.decide import (
    SHORTEST_SNOOZE_S,
    Fail,
    GiveUpCall,
    TryLater,
    after_lost_file,
    after_no_answer,
    after_not_found,
    after_rejection,
    after_spoiled,
    after_storage_failure,
)

HOPELESS = ["invalid_request", "content_rejected", "unauthorized", "out_of_credit", "model_retired"]
MAY_GET_BETTER = ["unavailable", "timeout", "protocol"]
SNOOZES = ["rate_limited", "cold_start"]


def job(attempt: int = 1, max_attempts: int = 3) -> ClaimedJob:
    values: dict[str, Any] = dict.fromkeys(ClaimedJob._fields)
    return ClaimedJob(**{**values, "attempt": attempt, "max_attempts": max_attempts})


def error(error_class: str, *, retry_after_s: float | None = None) -> ProviderError:
    return ProviderError(ErrorClass(error_class), "the provider's words", "E42", retry_after_s)


def shown(decision: Fail | TryLater) -> dict[str, Any]:
    assert isinstance(decision, Fail)
    found: dict[str, Any] = json.loads(decision.error)
    return found


def test_every_class_of_error_has_its_consequence() -> None:
    assert {*HOPELESS, *MAY_GET_BETTER, *SNOOZES} == set(ErrorClass)


@pytest.mark.parametrize("error_class", HOPELESS)
def test_what_cannot_get_better_fails_at_once_with_the_providers_words_and_a_remedy(error_class: str) -> None:
    seen = shown(after_rejection(job(), "acme", error(error_class), 0.5))
    assert (seen["code"], seen["message"], seen["provider"]) == (error_class, "the provider's words", "acme")
    assert (seen["provider_code"], seen["provider_message"], seen["retryable"]) == (
        "E42",
        "the provider's words",
        False,
    )
    assert seen["remedy"] != "Retry it later."


@pytest.mark.parametrize("error_class", MAY_GET_BETTER)
def test_what_can_get_better_is_tried_again_while_attempts_are_left(error_class: str) -> None:
    waits = [after_rejection(job(attempt), "acme", error(error_class), 1.0) for attempt in (1, 2)]
    assert waits == [TryLater(due_in_s, True, "the provider's words", error_class) for due_in_s in (5.0, 10.0)]
    seen = shown(after_rejection(job(3), "acme", error(error_class), 1.0))
    assert (seen["code"], seen["retryable"]) == ("retries_exhausted", True)
    assert "3 times" in seen["message"]


@pytest.mark.parametrize("error_class", SNOOZES)
def test_a_snooze_uses_no_attempt_and_is_never_the_last(error_class: str) -> None:
    decision = after_rejection(job(attempt=9), "acme", error(error_class), 0.5)
    assert isinstance(decision, TryLater)
    assert (decision.uses_attempt, decision.code) == (False, error_class)


@pytest.mark.parametrize("retry_after_s", [0.0, None])
def test_a_snooze_is_never_so_short_that_the_provider_is_asked_without_a_pause(retry_after_s: float | None) -> None:
    decision = after_rejection(job(), "acme", error("rate_limited", retry_after_s=retry_after_s), 0.0)
    assert isinstance(decision, TryLater)
    assert decision.due_in_s == SHORTEST_SNOOZE_S


@pytest.mark.parametrize("error_class", [*MAY_GET_BETTER, *SNOOZES])
def test_when_the_provider_names_a_time_that_is_the_time(error_class: str) -> None:
    decision = after_rejection(job(), "acme", error(error_class, retry_after_s=77.0), 0.1)
    assert isinstance(decision, TryLater)
    assert decision.due_in_s == 77.0


def test_a_call_that_can_be_found_nowhere_is_not_waited_for() -> None:
    reconcile, again = UnknownPolicy.RECONCILE, UnknownPolicy.RETRY_ONCE
    lost = {"repeatable": False, "findable": False}
    assert isinstance(after_no_answer(job(), "acme", "cut", 0.5, policy=reconcile, **lost), Fail)
    assert isinstance(after_no_answer(job(), "acme", "cut", 0.5, policy=again, **lost), TryLater)
    assert isinstance(after_no_answer(job(), "acme", "cut", 0.5, policy=reconcile, repeatable=False), TryLater)


def test_a_call_without_an_answer_is_made_again_only_where_that_is_free() -> None:
    fails = UnknownPolicy.FAIL_AND_RELEASE
    assert isinstance(after_no_answer(job(), "acme", "cut", 0.5, repeatable=True, policy=fails), TryLater)
    seen = shown(after_no_answer(job(), "acme", "cut", 0.5, repeatable=False, policy=fails))
    assert (seen["code"], seen["provider"], seen["retryable"]) == ("provider_unknown", "acme", True)
    assert "cut" in seen["message"]


def test_a_delivery_that_cannot_be_used_is_bought_only_once() -> None:
    assert isinstance(after_spoiled(job(), "acme", "no picture", 0.5, repeatable=True), TryLater)
    assert shown(after_spoiled(job(), "acme", "no picture", 0.5, repeatable=False))["code"] == "protocol"
    assert shown(after_spoiled(job(3), "acme", "no picture", 0.5, repeatable=True))["code"] == "retries_exhausted"


def test_files_that_cannot_be_stored_are_made_again_only_where_that_is_free() -> None:
    again = after_storage_failure(job(2), "disk full", 1.0, repeatable=True, accepted=False)
    assert again == TryLater(10.0, True, "disk full", "storage_failed")
    for decision in (
        after_storage_failure(job(3), "disk full", 1.0, repeatable=True, accepted=False),
        after_storage_failure(job(1), "disk full", 1.0, repeatable=False, accepted=False),
    ):
        seen = shown(decision)
        assert (seen["code"], seen["message"], seen["retryable"]) == ("storage_failed", "disk full", True)


def test_a_file_that_cannot_be_fetched_any_more_is_the_providers_fault_and_says_why() -> None:
    seen = shown(after_lost_file("acme", "https://acme.example/a.mp4 answered with status 410."))
    assert (seen["code"], seen["provider"], seen["remedy"]) == ("unavailable", "acme", "Generate it again.")
    assert "status 410" in seen["message"]


@pytest.mark.parametrize("attempt", [1, 3, 9])
def test_what_a_provider_keeps_under_a_remote_id_is_fetched_again_until_the_deadline(attempt: int) -> None:
    decision = after_storage_failure(job(attempt), "disk full", 0.0, repeatable=False, accepted=True)
    assert decision == TryLater(SHORTEST_SNOOZE_S, False, "disk full", "storage_failed")


@pytest.mark.parametrize(("policy", "due_in_s"), [(UnknownPolicy.RECONCILE, 5.0), (UnknownPolicy.RETRY_ONCE, 0.0)])
def test_a_paid_call_without_an_answer_is_looked_for_and_uses_no_attempt(
    policy: UnknownPolicy, due_in_s: float
) -> None:
    decision = after_no_answer(job(9), "acme", "cut", 0.5, repeatable=False, policy=policy)
    assert isinstance(decision, TryLater)
    assert (decision.due_in_s, decision.uses_attempt, decision.code) == (due_in_s, False, "provider_unknown")


def test_a_call_that_is_not_found_is_looked_for_less_and_less_often_and_then_given_up() -> None:
    rules = Rules(UnknownPolicy.RECONCILE, reconcile_s=600.0)
    waits = [after_not_found(rules, unknown_for(s), 900.0) for s in (0.0, 40.0, 500.0, 599.5)]
    assert [w.due_in_s for w in waits if isinstance(w, TryLater)] == [5.0, 20.0, 60.0, 1.0]
    over = after_not_found(rules, unknown_for(600.0), 900.0)
    assert isinstance(over, Fail)
    seen = shown(over)
    assert (seen["code"], "600 s" in seen["message"]) == ("provider_unknown", True)


def test_the_last_look_for_a_call_comes_before_the_deadline_of_its_job() -> None:
    rules = Rules(UnknownPolicy.RECONCILE, reconcile_s=600.0)
    waits = [after_not_found(rules, unknown_for(100.0), left_s) for left_s in (60.0, 30.0, 5.5)]
    assert [w.due_in_s for w in waits if isinstance(w, TryLater)] == [50.0, 25.0, 1.0]
    assert isinstance(after_not_found(rules, unknown_for(100.0), 5.0), Fail)


def test_the_operator_decides_what_becomes_of_a_call_that_is_not_found() -> None:
    assert after_not_found(Rules(UnknownPolicy.RETRY_ONCE), unknown_for(1.0), 900.0) == GiveUpCall()
    assert isinstance(after_not_found(Rules(UnknownPolicy.FAIL_AND_RELEASE), unknown_for(1.0), 900.0), Fail)


def unknown_for(seconds: float) -> OpenCall:
    return OpenCall("c-1", 1, "acme", "unknown", None, False, None, None, False, seconds)
