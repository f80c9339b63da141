"""Of the suite for remote providers: refusals, which prove that nothing was accepted, and what proves nothing."""
# ruff: noqa: S101 - a suite of tests states what it expects

from __future__ import annotations

import pytest

from safelight.domain.secrets import without_secrets
from safelight.providers.protocol import NotSent
from safelight.testing import remote_stage
from safelight.testing.mishaps import ESTIMATED_S, REFUSALS, RETRY_AFTER_S, UNKNOWN, Mishap
from safelight.testing.provider_conformance import Listener, Stage
from safelight.testing.remote_stage import CALL_ID, RemoteStage
from safelight.testing.throwaway import free_port


class Refusals(RemoteStage):
    """How `start` ends when nothing comes of it."""

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

    @pytest.mark.parametrize("mishap", REFUSALS, ids=str)
    def test_a_key_that_a_refusal_repeats_everywhere_is_nowhere(self, stage: Stage, mishap: Mishap) -> None:
        """In what is returned by itself, and in what is raised once the worker has made it presentable."""
        self._skip_unless(mishap in self.support.refusals, f"it knows no {mishap}")
        self.stand_in.misbehave(mishap)
        self.stand_in.repeats_key = True
        try:
            state = stage.run(self._end_of(stage.provider), self.patience_s)
        finally:
            self.stand_in.repeats_key = False
        assert remote_stage.KEY not in (without_secrets(state) if isinstance(state, str) else repr(state))

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
            nobody = self.make_remote(remote_stage.KEY, f"http://127.0.0.1:{free_port()}", self.answer_within_s)
            try:
                with pytest.raises(NotSent):
                    await nobody.start(self.generation(), CALL_ID, Listener())
            finally:
                await nobody.close()

        stage.run(scenario(), self.patience_s)
