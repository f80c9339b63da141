"""The stand-in provider: its adapter conforms, and it bills exactly what it accepts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from safelight.domain.outcomes import Done, ErrorClass, Pending, Rejected, RemoteState
from safelight.providers.protocol import Generation
from safelight.testing.provider_conformance import Listener, ProviderConformance
from safelight.testing.stand_in_adapter import StandInProvider
from tests.support.stand_in import StandInProcess, stand_in_provider


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandInProcess]:
    with stand_in_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


def ask(provider: StandInProcess, prompt: str, call_id: str, *, then_poll: bool = False) -> RemoteState:
    async def asking() -> RemoteState:
        adapter = StandInProvider(provider.url)
        try:
            state = await adapter.start(Generation("image", "grey-1", prompt, {"n": 2}), call_id, Listener())
            return await adapter.poll(state.remote_id) if then_poll and isinstance(state, Pending) else state
        finally:
            await adapter.close()

    return asyncio.run(asking())


def calls_billed(provider: StandInProcess) -> list[str]:
    return [billed.call_id for billed in provider.billed()]


class TestStandIn(ProviderConformance):
    _provider: StandInProcess

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def started(cls, provider: StandInProcess) -> None:
        cls._provider = provider

    def make_provider(self) -> StandInProvider:
        return StandInProvider(self._provider.url)

    def generation(self, *, n: int = 1, seed: int = 7) -> Generation:
        return Generation("image", "grey-1", "a lighthouse", {"n": n})


@pytest.mark.parametrize("answer", ["cut_after", "cut_midway", "garbage", "error"])
def test_a_call_that_was_accepted_is_billed_though_nobody_hears_of_it(provider: StandInProcess, answer: str) -> None:
    with pytest.raises((httpx.HTTPError, ValueError)):
        ask(provider, f"a lighthouse answer={answer}", f"call-{answer}")
    assert calls_billed(provider).count(f"call-{answer}") == 1


def test_a_connection_cut_before_acceptance_bills_nothing(provider: StandInProcess) -> None:
    with pytest.raises(httpx.HTTPError):
        ask(provider, "a lighthouse answer=cut_before", "call-cut")
    assert "call-cut" not in calls_billed(provider)


def test_refusals_bill_nothing_and_end_after_as_many_as_were_asked_for(provider: StandInProcess) -> None:
    prompt = "a harbour answer=limited retry_after=2 times=2"
    for _ in range(2):
        refused = ask(provider, prompt, "call-limited")
        assert isinstance(refused, Rejected)
        assert (refused.error.error_class, refused.error.retry_after_s) == (ErrorClass.RATE_LIMITED, 2)
    assert isinstance(ask(provider, prompt, "call-limited"), Done)
    loading = ask(provider, "a harbour answer=loading seconds=3", "call-loading")
    assert isinstance(loading, Rejected)
    assert (loading.error.error_class, loading.error.retry_after_s) == (ErrorClass.COLD_START, 3)
    assert [call for call in calls_billed(provider) if call in ("call-limited", "call-loading")] == ["call-limited"]


def test_a_generation_of_its_own_is_found_by_its_call_unless_the_list_lags(provider: StandInProcess) -> None:
    ask(provider, "a pier answer=later seconds=60", "call-listed")
    ask(provider, "a pier answer=later listed_after=60", "call-late")

    async def find(call_id: str) -> str | None:
        adapter = StandInProvider(provider.url)
        try:
            return await adapter.find(call_id)
        finally:
            await adapter.close()

    names = {billed.call_id: billed.remote_id for billed in provider.billed()}
    assert asyncio.run(find("call-listed")) == names["call-listed"]
    assert asyncio.run(find("call-late")) is None


def test_a_call_that_is_to_be_made_once_is_billed_once_however_often_it_is_sent(provider: StandInProcess) -> None:
    async def send_twice(*, once: bool) -> None:
        adapter = StandInProvider(provider.url, idempotent=once)
        try:
            for _ in range(2):
                await adapter.start(Generation("image", "grey-1", "a quay", {"n": 1}), f"call-once-{once}", Listener())
        finally:
            await adapter.close()

    asyncio.run(send_twice(once=True))
    asyncio.run(send_twice(once=False))
    assert calls_billed(provider).count("call-once-True") == 1
    assert calls_billed(provider).count("call-once-False") == 2


def test_a_generation_that_it_reports_as_failed_was_billed(provider: StandInProcess) -> None:
    state = ask(provider, "a pier answer=broken", "call-broken", then_poll=True)
    assert isinstance(state, Rejected)
    assert "call-broken" in calls_billed(provider)
