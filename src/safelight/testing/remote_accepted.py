"""Of the suite for remote providers: what becomes of a call that was accepted, and of the questions about it."""
# ruff: noqa: S101 - a suite of tests states what it expects

from __future__ import annotations

import pytest

from safelight.domain.outcomes import Done, ErrorClass, Output, Pending, Rejected, RemoteFile, RemoteState
from safelight.providers.protocol import AskLater, CannotStop
from safelight.testing.mishaps import RETRY_AFTER_S, Mishap, Where
from safelight.testing.provider_conformance import Listener, Stage
from safelight.testing.remote_stage import RemoteStage

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


class AcceptedCalls(RemoteStage):
    """Failures, strange states, polls without an answer, resuming, stopping, files and texts."""

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

    @pytest.mark.parametrize("mishap", [None, Mishap.LOADING], ids=str)
    def test_a_poll_says_whether_it_has_begun_where_that_is_known(self, stage: Stage, mishap: Mishap | None) -> None:
        self._skip_unless(self.support.tells_queue, "it says nothing of that")

        async def scenario() -> RemoteState:
            if mishap is not None:
                self.stand_in.misbehave(mishap)
            begun = await self._begun(stage.provider, self._saying("seconds=60"))
            return await stage.provider.poll(begun.remote_id)

        state = stage.run(scenario(), self.patience_s)
        assert isinstance(state, Pending)
        assert state.is_queued == (mishap is Mishap.LOADING)

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
