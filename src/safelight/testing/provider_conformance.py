"""What every provider does, whatever it is made of. Adapter authors subclass the suite and say how theirs is made:

    class TestMine(ProviderConformance):
        def make_provider(self) -> Provider: ...
        def generation(self, *, n: int = 1, seed: int = 7) -> Generation: ...

Point the provider at a stand-in or at recorded answers: the suite makes a dozen generations.
"""
# ruff: noqa: S101 - a suite of tests states what it expects

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from typing import Any, ClassVar, TypeVar

import httpx
import pytest

from safelight.domain.outcomes import Done, Made, Output, Pending, Rejected, RemoteState
from safelight.providers.protocol import CannotStop, Generation, Preview, ProbeResult, Provider
from safelight.testing.support import LocalSupport

T = TypeVar("T")

SIGNATURES = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/webp": b"RIFF",
    "image/gif": b"GIF8",
    "video/webm": b"\x1aE\xdf\xa3",
}
LARGEST_PREVIEW_BYTES = 100_000


class Listener:
    """A report that remembers what it heard, and answers False from the given call on."""

    def __init__(self, stop_at: int | None = None, *, lease_held: bool = True) -> None:
        self.heard: list[tuple[float, Preview | None]] = []
        self.texts: list[str] = []
        self.spoken_to = asyncio.Event()
        self._stop_at, self._lease_held = stop_at, lease_held

    def may_send(self) -> bool:
        return self._lease_held

    async def __call__(self, progress: float, *, preview: Preview | None = None, text: str | None = None) -> bool:
        self.heard.append((progress, preview))
        if text is not None:
            self.texts.append(text)
        self.spoken_to.set()
        return self._stop_at is None or len(self.heard) < self._stop_at


class Stage:
    """One provider on one event loop, for all tests of a class."""

    def __init__(self, provider: Provider, runner: asyncio.Runner) -> None:
        self.provider, self._runner = provider, runner

    def run(self, scenario: Coroutine[Any, Any, T], limit_s: float) -> T:
        """Raises TimeoutError when the scenario takes longer."""

        async def bounded() -> T:
            async with asyncio.timeout(limit_s):
                return await scenario

        return self._runner.run(bounded())


class ProviderConformance(ABC):
    """Subclass it as `Test…`; override the limits where a provider is slower than these."""

    patience_s = 60.0
    """For one generation."""
    stop_s = 10.0
    """From the report that says stop to the answer of `start`."""
    probe_s = 5.0
    poll_every_s = 0.05
    most_outputs = 10
    """What it makes in one call; 1 for a text."""
    local: ClassVar[LocalSupport | None] = None
    """What an adapter that works on this machine says it supports."""

    @abstractmethod
    def make_provider(self) -> Provider:
        """A provider that was not used yet. Called on a running event loop."""

    @abstractmethod
    def generation(self, *, n: int = 1, seed: int = 7) -> Generation:
        """Something it can make, as small and quick as possible: `n` outputs, reproducible by `seed` if it can be."""

    @pytest.fixture(scope="class")
    @classmethod
    def stage(cls) -> Iterator[Stage]:
        yield from cls._staged()

    @classmethod
    def _staged(cls) -> Iterator[Stage]:
        with asyncio.Runner() as runner:
            provider = runner.run(_made(cls()))
            yield Stage(provider, runner)
            runner.run(provider.close())

    def test_it_has_a_name_and_says_whether_its_calls_may_be_repeated(self, stage: Stage) -> None:
        assert stage.provider.name == stage.provider.name.strip().lower() != ""
        assert isinstance(stage.provider.repeatable, bool)
        assert isinstance(stage.provider.idempotent, bool)

    def test_a_generation_is_delivered_as_bytes_that_are_what_they_say(self, stage: Stage) -> None:
        for output in _files(self._deliver(stage, self.generation())):
            _check(output)

    def test_as_many_outputs_are_delivered_as_were_asked_for(self, stage: Stage) -> None:
        if self.most_outputs < 2:
            return
        outputs = _files(self._deliver(stage, self.generation(n=2)))
        assert len(outputs) == 2
        assert outputs[0].data != outputs[1].data

    def test_the_first_answer_is_done_pending_or_rejected(self, stage: Stage) -> None:
        async def scenario() -> None:
            state = await stage.provider.start(self.generation(), "call", Listener())
            assert isinstance(state, Done | Pending | Rejected)
            if isinstance(state, Pending):
                assert state.remote_id
                with suppress(CannotStop):
                    await stage.provider.cancel(state.remote_id)

        stage.run(scenario(), self.patience_s)

    def test_progress_stays_between_nought_and_one_and_never_goes_back(self, stage: Stage) -> None:
        listener = Listener()
        self._deliver(stage, self.generation(n=min(2, self.most_outputs)), listener)
        told = [progress for progress, _ in listener.heard]
        assert all(0.0 <= progress <= 1.0 for progress in told), told
        assert told == sorted(told), told

    def test_previews_are_small_pictures(self, stage: Stage) -> None:
        listener = Listener()
        self._deliver(stage, self.generation(), listener)
        for _, preview in listener.heard:
            if preview is not None:
                assert preview.data.startswith(SIGNATURES[preview.mime])
                assert len(preview.data) <= LARGEST_PREVIEW_BYTES

    def test_what_it_says_it_supports_is_so(self, stage: Stage) -> None:
        if self.local is None:
            return
        listener, wanted = Listener(), self.generation()
        answer = self._deliver(stage, wanted, listener)
        assert wanted.kind == self.local.kind
        assert stage.provider.repeatable
        assert any(preview for _, preview in listener.heard) == self.local.previews
        assert (len(listener.texts) > 1) == self.local.streams
        told = [output.metadata.get("ai_generated") for output in _files(answer)]
        assert all(is_ai is self.local.is_ai for is_ai in told)

    def test_a_report_that_says_stop_ends_the_call_in_bounded_time(self, stage: Stage) -> None:
        listener = Listener(stop_at=1)

        async def scenario() -> RemoteState:
            call = asyncio.create_task(
                stage.provider.start(self.generation(n=min(2, self.most_outputs)), "call", listener)
            )
            spoken = asyncio.create_task(listener.spoken_to.wait())
            await asyncio.wait({call, spoken}, return_when=asyncio.FIRST_COMPLETED)
            spoken.cancel()
            async with asyncio.timeout(self.stop_s):
                return await call

        state = stage.run(scenario(), self.patience_s + self.stop_s)
        if listener.heard:
            assert not isinstance(state, Pending)
            assert len(listener.heard) <= 2, "it went on reporting after it was told to stop"
        self._deliver(stage, self.generation())

    def test_cancelling_the_task_of_a_call_leaves_the_provider_usable(self, stage: Stage) -> None:
        listener = Listener()

        async def scenario() -> None:
            call = asyncio.create_task(
                stage.provider.start(self.generation(n=min(2, self.most_outputs)), "call", listener)
            )
            spoken = asyncio.create_task(listener.spoken_to.wait())
            await asyncio.wait({call, spoken}, return_when=asyncio.FIRST_COMPLETED)
            spoken.cancel()
            call.cancel()
            async with asyncio.timeout(self.stop_s):
                await asyncio.gather(call, return_exceptions=True)

        stage.run(scenario(), self.patience_s + self.stop_s)
        self._deliver(stage, self.generation())

    def test_the_same_seed_gives_the_same_bytes_where_calls_may_be_repeated(self, stage: Stage) -> None:
        if not stage.provider.repeatable:
            return
        answers = (self._deliver(stage, self.generation(seed=seed)) for seed in (7, 7, 8))
        first, again, other = ([answer.text, *(file.data for file in _files(answer))] for answer in answers)
        assert first == again
        assert first != other

    def test_calls_at_the_same_time_do_not_mix(self, stage: Stage) -> None:
        wanted = [1, min(2, self.most_outputs), 1]

        async def scenario() -> list[Done]:
            made = (self._delivered(stage.provider, self.generation(n=n), Listener()) for n in wanted)
            return list(await asyncio.gather(*made))

        answers = stage.run(scenario(), 3 * self.patience_s)
        assert [len(answer.outputs) or int(bool(answer.text)) for answer in answers] == wanted

    def test_a_probe_is_quick_and_says_whether_the_provider_can_be_reached(self, stage: Stage) -> None:
        found = stage.run(stage.provider.probe(), self.probe_s)
        assert isinstance(found, ProbeResult)
        assert isinstance(found.reachable, bool)

    def test_a_remote_id_that_it_never_gave_is_refused_and_harmless(self, stage: Stage) -> None:
        async def scenario() -> RemoteState:
            with suppress(CannotStop):
                await stage.provider.cancel("no-such-generation")
            return await stage.provider.poll("no-such-generation")

        assert isinstance(stage.run(scenario(), self.patience_s), Rejected)

    @pytest.mark.parametrize("name", ["../../v1/account", "..", "v6/images/../../x", "a/b?c=d", "a b", "\u00e9"])
    def test_a_remote_id_that_would_lead_elsewhere_is_refused_too(self, stage: Stage, name: str) -> None:
        """Such ids come from outside. A suite that sees the requests also looks where they went."""

        async def scenario() -> RemoteState:
            with suppress(CannotStop):
                await stage.provider.cancel(name)
            return await stage.provider.poll(name)

        asked_before = self.asked_n()
        assert isinstance(stage.run(scenario(), self.patience_s), Rejected)
        assert self.asked_n() == asked_before

    def asked_n(self) -> int:
        """How many requests its provider has seen, where that can be told."""
        return 0

    def test_it_can_be_warmed_up_more_than_once(self, stage: Stage) -> None:
        async def scenario() -> None:
            await stage.provider.warm_up()
            await stage.provider.warm_up()

        stage.run(scenario(), self.patience_s)

    def test_it_can_be_closed_twice_and_without_having_been_used(self) -> None:
        async def scenario() -> None:
            async with asyncio.timeout(self.patience_s):
                unused = self.make_provider()
                await unused.close()
                await unused.close()

        asyncio.run(scenario())

    def _deliver(self, stage: Stage, generation: Generation, listener: Listener | None = None) -> Done:
        return stage.run(self._delivered(stage.provider, generation, listener or Listener()), self.patience_s)

    async def _delivered(self, provider: Provider, generation: Generation, listener: Listener) -> Done:
        """What comes of it, polled as a worker would. AssertionError if nothing does."""
        state = await provider.start(generation, "call", listener)
        while isinstance(state, Pending):
            await listener(state.progress or 0.0)
            await asyncio.sleep(self.poll_every_s)
            state = await provider.poll(state.remote_id)
        assert isinstance(state, Done), state
        assert state.outputs or state.text
        return state


def _files(answer: Done) -> list[Output]:
    """Every file in memory, those at the provider fetched."""
    return [_fetched(made) for made in answer.outputs]


def _fetched(file: Made) -> Output:
    if isinstance(file, Output):
        return file
    answer = httpx.get(file.url, headers=dict(file.headers), timeout=30).raise_for_status()
    return Output(answer.content, answer.headers["content-type"].partition(";")[0])


async def _made(suite: ProviderConformance) -> Provider:
    return suite.make_provider()


def _check(output: Output) -> None:
    assert output.data, "it delivered an empty file"
    if output.mime in SIGNATURES:
        assert output.data.startswith(SIGNATURES[output.mime]), f"it says {output.mime}, but begins {output.data[:8]!r}"
    for side in (output.width, output.height):
        assert side is None or side > 0
