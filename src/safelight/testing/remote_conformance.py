"""What every paid provider behind HTTP does, above all when something goes wrong. Subclass it as `Test…`:

    class TestMine(RemoteProviderConformance):
        support = Support("Mine", kinds=("image",), asynchronous=True, cancels=True)

        def make_stand_in(self, key: str) -> PaidStandIn: ...
        def make_remote(self, key: str, url: str, answer_within_s: float) -> Provider: ...
        def generation(self, *, n: int = 1, seed: int = 7) -> Generation: ...

The stand-in plays the provider on a loopback address, and each mishap of `mishaps.Mishap` on demand. Where a provider
knows no such mishap (`support.refusals`) or has no such ability, the test is skipped and says so.
"""
# ruff: noqa: S101 - a suite of tests states what it expects

from __future__ import annotations

import dataclasses
import logging
import traceback
from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import pytest
import structlog

from safelight.domain.outcomes import (
    Done,
    ErrorClass,
    Output,
    Pending,
    ProviderError,
    Rejected,
    RemoteFile,
    RemoteState,
)
from safelight.providers.protocol import AskLater, CannotStop, Finds, Generation, Hears, NotSent, Provider
from safelight.testing.mishaps import ESTIMATED_S, REFUSALS, RETRY_AFTER_S, UNKNOWN, Mishap, Where
from safelight.testing.paid_stand_in import PaidStandIn
from safelight.testing.provider_conformance import Listener, ProviderConformance, Stage
from safelight.testing.serving import served
from safelight.testing.support import Support
from safelight.testing.throwaway import free_port

KEY = "test-0c7d51f2aa93key"
CALL_ID = "0192f0c1-2345-7abc-8def-0123456789ab"
CALLBACK = f"https://safelight.example/api/callbacks/any/{CALL_ID}?sig=0123"
NONSENSE: tuple[object, ...] = ({}, [], "text", None, 7, {"id": None}, {"status": "succeeded"})
POLL_TROUBLE = (
    Mishap.BAD_KEY,
    Mishap.BUSY,
    Mishap.CUT_BEFORE,
    Mishap.CUT_MIDWAY,
    Mishap.GARBAGE,
    Mishap.HANG,
    Mishap.OVERLOADED,
    Mishap.SERVER_ERROR,
)
"""None of them says anything about the generation that was asked for."""


class RemoteProviderConformance(ProviderConformance):
    """All of `ProviderConformance`, and how a paid call ends in every case."""

    support: ClassVar[Support]
    answer_within_s = 0.5
    """How long the provider under test waits for an answer, so that a hang is soon over."""
    stand_in: PaidStandIn

    @abstractmethod
    def make_stand_in(self, key: str) -> PaidStandIn:
        """The provider that is played, and that knows only this key."""

    @abstractmethod
    def make_remote(self, key: str, url: str, answer_within_s: float) -> Provider:
        """The adapter, pointed at that address."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def played(cls) -> Iterator[None]:
        with served(cls().make_stand_in(KEY)) as stand_in:
            cls.stand_in = stand_in
            cls.most_outputs = cls.support.most_outputs
            yield

    def make_provider(self) -> Provider:
        return self.make_remote(KEY, self.stand_in.url, self.answer_within_s)

    @pytest.fixture(scope="class")
    @classmethod
    def stage(cls, played: None) -> Iterator[Stage]:
        yield from cls._staged()

    # Refusals: proof that nothing was accepted

    @pytest.mark.parametrize("mishap", REFUSALS, ids=str)
    def test_a_refusal_has_its_class_and_the_providers_own_words(self, stage: Stage, mishap: Mishap) -> None:
        self._skip_unless(mishap in self.support.refusals, f"it knows no {mishap}")
        error = self._rejected(stage, mishap)
        assert error.error_class is REFUSALS[mishap], error
        assert self.stand_in.words[mishap].partition("{key}")[0].strip() in error.message
        assert error.provider_code

    @pytest.mark.parametrize("mishap", REFUSALS, ids=str)
    def test_a_refusal_keeps_the_providers_name_for_the_request(self, stage: Stage, mishap: Mishap) -> None:
        self._skip_unless(mishap in self.support.refusals, f"it knows no {mishap}")
        self._skip_unless(self.support.request_ids, "it names no requests")
        error = self._rejected(stage, mishap)
        assert error.request_id in (self.stand_in.last_request_id, *self.stand_in.works)

    def test_a_refusal_that_says_when_to_come_again_is_believed(self, stage: Stage) -> None:
        self._skip_unless(self.support.says_when, "its 429 says nothing")
        assert self._rejected(stage, Mishap.BUSY).retry_after_s == RETRY_AFTER_S

    def test_a_cold_start_says_how_long_it_takes(self, stage: Stage) -> None:
        self._skip_unless(self.support.estimates, "it estimates no cold start")
        assert self._rejected(stage, Mishap.LOADING).retry_after_s == ESTIMATED_S

    # Nobody knows

    @pytest.mark.parametrize("mishap", UNKNOWN, ids=str)
    def test_what_proves_nothing_is_raised_and_never_called_not_sent(self, stage: Stage, mishap: Mishap) -> None:
        self.stand_in.misbehave(mishap)
        billed_before = len(self.stand_in.billed)
        error = stage.run(self._raised(stage.provider), self.patience_s)
        assert not isinstance(error, NotSent), error
        assert len(self.stand_in.billed) - billed_before == (mishap is not Mishap.CUT_BEFORE)

    @pytest.mark.parametrize("mishap", [None, *REFUSALS, *UNKNOWN], ids=str)
    def test_one_call_is_one_post_whatever_comes_of_it(self, stage: Stage, mishap: Mishap | None) -> None:
        """Hidden retries pay twice: there are none."""
        self._skip_unless(mishap not in REFUSALS or mishap in self.support.refusals, f"it knows no {mishap}")
        if mishap is not None:
            self.stand_in.misbehave(mishap)
        posts_before = len(self.stand_in.posts)
        stage.run(self._end_of(stage.provider), self.patience_s)
        assert len(self.stand_in.posts) - posts_before == 1

    def test_nothing_is_sent_without_the_lease(self, stage: Stage) -> None:
        posts_before = len(self.stand_in.posts)
        error = stage.run(self._raised(stage.provider, Listener(lease_held=False)), self.patience_s)
        assert isinstance(error, NotSent), error
        assert len(self.stand_in.posts) == posts_before

    def test_a_refused_connection_is_proof_that_nothing_was_sent(self, stage: Stage) -> None:
        async def scenario() -> None:
            nobody = self.make_remote(KEY, f"http://127.0.0.1:{free_port()}", self.answer_within_s)
            try:
                with pytest.raises(NotSent):
                    await nobody.start(self.generation(), CALL_ID, Listener())
            finally:
                await nobody.close()

        stage.run(scenario(), self.patience_s)

    # While it is made

    def test_a_generation_that_fails_at_the_provider_is_over_with_its_own_words(self, stage: Stage) -> None:
        self._skip_unless(self.support.asynchronous or self.support.streams, "it answers in one call")
        error = self._rejected(stage, Mishap.FAILS)
        assert self.stand_in.words[Mishap.FAILS] in error.message
        assert error.request_id or not self.support.request_ids

    def test_a_generation_that_took_the_provider_too_long_may_be_tried_again(self, stage: Stage) -> None:
        self._skip_unless(self.support.reports_timeouts, "it reports no time-outs of its own")
        error = self._rejected(stage, Mishap.TIMES_OUT)
        assert error.error_class is ErrorClass.TIMEOUT
        assert self.stand_in.words[Mishap.TIMES_OUT] in error.message

    def test_a_status_that_nobody_knows_is_an_error_with_its_name_and_no_endless_wait(self, stage: Stage) -> None:
        self._skip_unless(self.support.asynchronous or self.support.streams, "it answers in one call")
        error = self._rejected(stage, Mishap.NEW_STATUS)
        assert error.error_class is ErrorClass.PROTOCOL
        assert self.stand_in.words[Mishap.NEW_STATUS] in error.message

    def test_files_that_are_gone_are_an_error_that_says_so(self, stage: Stage) -> None:
        self._skip_unless(self.support.asynchronous and self.support.addresses, "it delivers files")
        error = self._rejected(stage, Mishap.EXPIRED)
        assert error.error_class is ErrorClass.PROTOCOL, "the job must not pay for another"
        assert error.message

    @pytest.mark.parametrize("mishap", POLL_TROUBLE, ids=str)
    def test_a_poll_without_an_answer_is_raised_and_the_next_one_is_answered(
        self, stage: Stage, mishap: Mishap
    ) -> None:
        self._skip_unless(self.support.asynchronous, "it is never polled")

        async def scenario() -> tuple[Exception | None, RemoteState]:
            begun = await self._begun(stage.provider)
            self.stand_in.misbehave(mishap, where=Where.POLL)
            raised: Exception | None = None
            try:
                await stage.provider.poll(begun.remote_id)
            except Exception as error:  # whatever is no answer
                raised = error
            return raised, await stage.provider.poll(begun.remote_id)

        raised, state = stage.run(scenario(), self.patience_s)
        assert raised is not None, "no answer was taken for one"
        assert isinstance(state, Done | Pending), state
        if mishap is Mishap.BUSY:
            assert isinstance(raised, AskLater)
            assert raised.retry_after_s == (RETRY_AFTER_S if self.support.says_when else None)

    def test_a_poll_says_how_far_it_is_where_that_is_known(self, stage: Stage) -> None:
        self._skip_unless(self.support.tells_progress, "it says nothing of that")

        async def scenario() -> RemoteState:
            begun = await self._begun(stage.provider, self._saying("seconds=60"))
            return await stage.provider.poll(begun.remote_id)

        state = stage.run(scenario(), self.patience_s)
        assert isinstance(state, Pending)
        assert state.progress is not None

    def test_an_accepted_call_is_resumed_by_its_name_in_another_process(self, stage: Stage) -> None:
        self._skip_unless(self.support.asynchronous, "its calls have no name")

        async def scenario() -> RemoteState:
            begun = await self._begun(stage.provider)
            other = self.make_provider()
            try:
                return await other.poll(begun.remote_id)
            finally:
                await other.close()

        posts_before = len(self.stand_in.posts)
        assert isinstance(stage.run(scenario(), self.patience_s), Done)
        assert len(self.stand_in.posts) - posts_before == 1

    def test_a_canceled_call_is_over_at_the_provider(self, stage: Stage) -> None:
        self._skip_unless(self.support.cancels, "it cannot be told to stop")

        async def scenario() -> RemoteState:
            begun = await self._begun(stage.provider, self._saying("seconds=60"))
            assert isinstance(await stage.provider.poll(begun.remote_id), Pending)
            await stage.provider.cancel(begun.remote_id)
            return await stage.provider.poll(begun.remote_id)

        assert isinstance(stage.run(scenario(), self.patience_s), Rejected)

    def test_where_a_call_cannot_be_stopped_nobody_is_told_that_it_was(self, stage: Stage) -> None:
        self._skip_unless(self.support.asynchronous and not self.support.cancels, "it can be told to stop")

        async def scenario() -> RemoteState:
            begun = await self._begun(stage.provider)
            with pytest.raises(CannotStop):
                await stage.provider.cancel(begun.remote_id)
            return await stage.provider.poll(begun.remote_id)

        assert isinstance(stage.run(scenario(), self.patience_s), Done)

    def test_files_come_as_they_are_or_as_addresses_as_it_was_declared(self, stage: Stage) -> None:
        made = self._deliver(stage, self.generation())
        kind = RemoteFile if self.support.addresses else Output
        assert all(isinstance(each, kind) for each in made.outputs)

    def test_text_grows_while_it_is_written_and_ends_as_it_is_delivered(self, stage: Stage) -> None:
        self._skip_unless(self.support.streams, "it streams no text")
        listener = Listener()
        made = self._deliver(stage, self.generation(), listener)
        assert made.text
        assert len(listener.texts) > 1
        assert all(
            later.startswith(earlier) for earlier, later in zip(listener.texts, listener.texts[1:], strict=False)
        )
        assert made.text.startswith(listener.texts[-1])

    # Lost answers

    def test_a_call_whose_answer_was_lost_is_found_by_our_id(self, stage: Stage) -> None:
        provider = stage.provider
        assert isinstance(provider, Finds) is self.support.finds
        self._skip_unless(self.support.finds, "it cannot be asked")
        self.stand_in.misbehave(Mishap.CUT_AFTER)
        generation = dataclasses.replace(self.generation(), callback_url=CALLBACK)
        stage.run(self._raised(provider, generation=generation), self.patience_s)
        assert isinstance(provider, Finds)
        assert stage.run(provider.find(CALL_ID), self.patience_s) in self.stand_in.works
        assert stage.run(provider.find(CALL_ID.replace("0", "f")), self.patience_s) is None

    def test_it_is_asked_to_announce_only_where_there_is_an_address_and_what_it_says_is_read(
        self, stage: Stage
    ) -> None:
        provider = stage.provider
        assert isinstance(provider, Hears) is self.support.hears
        self._skip_unless(self.support.hears, "it announces nothing")
        assert isinstance(provider, Hears)
        stage.run(self._end_of(provider), self.patience_s)
        assert CALLBACK.encode() not in self.stand_in.posts[-1].content
        generation = dataclasses.replace(self.generation(), callback_url=CALLBACK)
        begun = stage.run(self._begun(provider, generation), self.patience_s)
        assert CALLBACK.encode() in self.stand_in.posts[-1].content
        announced = self.stand_in.announcement(next(reversed(self.stand_in.works)))
        assert provider.read_callback(announced) == begun.remote_id
        for nonsense in NONSENSE:
            assert provider.read_callback(nonsense) is None

    # The probe

    def test_the_probe_says_that_all_is_well_and_pays_nothing(self, stage: Stage) -> None:
        posts_before = len(self.stand_in.posts)
        found = stage.run(stage.provider.probe(), self.probe_s)
        assert (found.reachable, found.key_valid) == (True, True)
        assert len(self.stand_in.posts) == posts_before

    def test_the_probe_says_that_the_key_is_wrong(self, stage: Stage) -> None:
        self.stand_in.misbehave(Mishap.BAD_KEY, where=Where.PROBE)
        found = stage.run(stage.provider.probe(), self.probe_s)
        assert (found.reachable, found.key_valid) == (True, False)

    def test_the_probe_says_that_there_is_no_money(self, stage: Stage) -> None:
        self._skip_unless(self.support.knows_money, "it tells nobody how much money is left")
        self.stand_in.misbehave(Mishap.NO_MONEY, where=Where.PROBE)
        assert stage.run(stage.provider.probe(), self.probe_s).has_money is False

    @pytest.mark.parametrize("mishap", [Mishap.CUT_BEFORE, Mishap.HANG, Mishap.GARBAGE, Mishap.SERVER_ERROR], ids=str)
    def test_a_probe_without_an_answer_says_so_and_raises_nothing(self, stage: Stage, mishap: Mishap) -> None:
        self.stand_in.misbehave(mishap, where=Where.PROBE)
        found = stage.run(stage.provider.probe(), self.probe_s)
        assert found.reachable is (mishap in (Mishap.GARBAGE, Mishap.SERVER_ERROR))
        assert found.key_valid is None
        assert found.message

    # The key

    @pytest.mark.parametrize("mishap", [None, *Mishap], ids=str)
    def test_the_key_is_in_no_answer_error_log_or_representation(
        self, stage: Stage, mishap: Mishap | None, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG), structlog.testing.capture_logs() as lines:
            if mishap is not None:
                self.stand_in.misbehave(mishap)
                self.stand_in.misbehave(mishap, where=Where.PROBE)
            said = [repr(stage.run(self._end_of(stage.provider), self.patience_s))]
            said.append(repr(stage.run(stage.provider.probe(), self.probe_s)))
        said += [caplog.text, repr(lines), repr(stage.provider), stage.provider.fingerprint]
        assert [text for text in said if KEY in text] == []

    def test_another_key_has_another_fingerprint(self) -> None:
        keys = {self.make_remote(key, self.stand_in.url, 1.0).fingerprint for key in (KEY, KEY + "2")}
        assert len(keys) == 2

    # How the tests above play

    def _rejected(self, stage: Stage, mishap: Mishap) -> ProviderError:
        """The error in which a call ends that this happens to."""
        self.stand_in.misbehave(mishap)
        state = stage.run(self._end_of(stage.provider), self.patience_s)
        assert isinstance(state, Rejected), state
        return state.error

    async def _end_of(self, provider: Provider, generation: Generation | None = None) -> RemoteState | str:
        """What becomes of a call in the end; the whole traceback if `start` raises."""
        try:
            state = await provider.start(generation or self.generation(), CALL_ID, Listener())
        except Exception as error:  # whatever is no answer
            return "".join(traceback.format_exception(error))
        while isinstance(state, Pending):
            state = await provider.poll(state.remote_id)
        return state

    async def _raised(
        self, provider: Provider, listener: Listener | None = None, generation: Generation | None = None
    ) -> Exception:
        try:
            state = await provider.start(generation or self.generation(), CALL_ID, listener or Listener())
        except Exception as error:  # whatever is no answer
            return error
        raise AssertionError(f"start returned {state}")

    async def _begun(self, provider: Provider, generation: Generation | None = None) -> Pending:
        state = await provider.start(generation or self.generation(), CALL_ID, Listener())
        assert isinstance(state, Pending), state
        return state

    def _saying(self, words: str) -> Generation:
        generation = self.generation()
        return dataclasses.replace(generation, prompt=f"{generation.prompt} {words}")

    @staticmethod
    def _skip_unless(claim: bool, why: str) -> None:
        if not claim:
            pytest.skip(why)
