"""The suite for remote providers notices what naive adapters do wrong: each fault fails the test that is about it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from _pytest.outcomes import Failed

from safelight.domain.outcomes import ErrorClass, Pending, ProviderError, Rejected, RemoteState
from safelight.providers.protocol import Generation, Report
from safelight.providers.replicate.provider import ReplicateProvider
from safelight.testing.mishaps import Mishap
from safelight.testing.provider_conformance import Listener, Stage
from safelight.testing.serving import served
from tests.conformance import test_replicate


class Retries(ReplicateProvider):
    """Sends again what may have been accepted."""

    async def start(self, generation: Generation, call_id: str, report: Report) -> RemoteState:
        try:
            return await super().start(generation, call_id, report)
        except httpx.HTTPError:
            return await super().start(generation, call_id, report)


class TakesTroubleForRefusal(ReplicateProvider):
    """Says that nothing was accepted where nobody knows."""

    async def start(self, generation: Generation, call_id: str, report: Report) -> RemoteState:
        try:
            return await super().start(generation, call_id, report)
        except httpx.HTTPError as error:
            return Rejected(ProviderError(ErrorClass.UNAVAILABLE, str(error)))


class SendsWithoutLease(ReplicateProvider):
    async def start(self, generation: Generation, call_id: str, report: Report) -> RemoteState:
        return await super().start(generation, call_id, Listener())


class GivesUpPolling(ReplicateProvider):
    """Takes a poll without an answer for the end of the generation."""

    async def poll(self, remote_id: str) -> RemoteState:
        try:
            return await super().poll(remote_id)
        except Exception as error:
            return Rejected(ProviderError(ErrorClass.UNAVAILABLE, str(error)))


class WaitsForEver(ReplicateProvider):
    """Takes every status that it does not know for work in progress."""

    async def poll(self, remote_id: str) -> RemoteState:
        state = await super().poll(remote_id)
        return state if not isinstance(state, Rejected) else Pending(remote_id)


class OwnWords(ReplicateProvider):
    """Replaces the provider's reason by its own."""

    async def start(self, generation: Generation, call_id: str, report: Report) -> RemoteState:
        state = await super().start(generation, call_id, report)
        if isinstance(state, Rejected):
            return Rejected(ProviderError(state.error.error_class, "Something went wrong.", "x"))
        return state


class ShowsKey(ReplicateProvider):
    def __repr__(self) -> str:
        return f"ShowsKey({self._key})"


class CancelsNothing(ReplicateProvider):
    async def cancel(self, remote_id: str) -> None:
        pass


FAULTS: list[tuple[type[ReplicateProvider], str, tuple[Any, ...]]] = [
    (Retries, "test_one_call_is_one_post_whatever_comes_of_it", (Mishap.CUT_AFTER,)),
    (TakesTroubleForRefusal, "test_what_proves_nothing_is_raised_and_never_called_not_sent", (Mishap.CUT_AFTER,)),
    (SendsWithoutLease, "test_nothing_is_sent_without_the_lease", ()),
    (GivesUpPolling, "test_a_poll_without_an_answer_is_raised_and_the_next_one_is_answered", (Mishap.SERVER_ERROR,)),
    (WaitsForEver, "test_a_status_that_nobody_knows_is_an_error_with_its_name_and_no_endless_wait", ()),
    (OwnWords, "test_a_refusal_has_its_class_and_the_providers_own_words", (Mishap.NO_MONEY,)),
    (CancelsNothing, "test_a_canceled_call_is_over_at_the_provider", ()),
]


class Suite(test_replicate.TestReplicate):
    __test__ = False
    patience_s = 3.0


@contextmanager
def staged(adapter: type[ReplicateProvider]) -> Iterator[tuple[Suite, Stage]]:
    suite = Suite()
    with served(suite.make_stand_in("test-key")) as stand_in, asyncio.Runner() as runner:
        suite.stand_in = stand_in
        provider = adapter("test-key", stand_in.url, answer_within_s=0.5)
        try:
            yield suite, Stage(provider, runner)
        finally:
            runner.run(provider.close())


@pytest.mark.parametrize(("adapter", "test", "given"), FAULTS, ids=[fault[0].__name__ for fault in FAULTS])
def test_a_fault_is_noticed_and_without_it_the_same_test_passes(
    adapter: type[ReplicateProvider], test: str, given: tuple[Any, ...]
) -> None:
    with staged(ReplicateProvider) as (suite, stage):
        getattr(suite, test)(stage, *given)
    with staged(adapter) as (suite, stage), pytest.raises((AssertionError, Failed, TimeoutError)):
        getattr(suite, test)(stage, *given)


def test_a_key_in_a_representation_is_noticed(caplog: pytest.LogCaptureFixture) -> None:
    test = "test_the_key_is_in_no_answer_error_log_or_representation"
    with staged(ShowsKey) as (suite, stage), pytest.MonkeyPatch.context() as patch:
        patch.setattr("safelight.testing.remote_stage.KEY", "test-key")
        with pytest.raises(AssertionError):
            getattr(suite, test)(stage, None, caplog)
