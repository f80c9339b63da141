"""The stage of the suite for remote providers: a stand-in, an adapter pointed at it, and ways to call it."""
# ruff: noqa: S101 - a suite of tests states what it expects

from __future__ import annotations

import dataclasses
import traceback
from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import pytest

from safelight.domain.outcomes import Pending, ProviderError, Rejected, RemoteState
from safelight.providers.protocol import Generation, Provider
from safelight.testing.mishaps import Mishap
from safelight.testing.paid_stand_in import PaidStandIn
from safelight.testing.provider_conformance import Listener, ProviderConformance, Stage
from safelight.testing.serving import served
from safelight.testing.support import Support

KEY = "test-0c7d51f2aa93key"
CALL_ID = "0192f0c1-2345-7abc-8def-0123456789ab"
CALLBACK = f"https://safelight.example/api/callbacks/any/{CALL_ID}?sig=0123"


class RemoteStage(ProviderConformance):
    """What a subclass says of its provider, and how the tests play."""

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

    def asked_n(self) -> int:
        return self.stand_in.requests_n

    def make_provider(self) -> Provider:
        return self.make_remote(KEY, self.stand_in.url, self.answer_within_s)

    @pytest.fixture(scope="class")
    @classmethod
    def stage(cls, played: None) -> Iterator[Stage]:
        yield from cls._staged()

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
