"""Every provider at a glance: set up or not, shut or open and why, and what it says of itself when asked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from safelight.api import providers as route
from safelight.catalog.limits import ProviderLimits
from safelight.domain.gates import Toll, Verdict
from safelight.domain.outcomes import ErrorClass, ProviderError
from safelight.providers.protocol import ProbeResult
from safelight.services import gates
from safelight.services.gates import Heard
from safelight.services.spend import Spending, day_of, reserve
from safelight.store.tx import Tx
from safelight.testing.providers import ScriptedProvider
from tests.support.door import Door


class Probed(ScriptedProvider):
    """Answers a look at it as told, or never."""

    def __init__(self, name: str, answer: ProbeResult | Exception | None) -> None:
        super().__init__(name=name, repeatable=False)
        self.fingerprint = "k1"
        self._answer = answer

    async def probe(self) -> ProbeResult:
        match self._answer:
            case ProbeResult() as result:
                return result
            case Exception() as error:
                raise error
            case None:
                await asyncio.Event().wait()
        raise AssertionError


@pytest.fixture
def acme(sqlite_door: Door) -> Door:
    with_providers(sqlite_door, Probed("acme", ProbeResult(True, True, True)))
    return sqlite_door


def with_providers(door: Door, *providers: ScriptedProvider) -> None:
    door.safelight.providers = {**door.safelight.providers, **{p.name: p for p in providers}}
    limits = {"acme": ProviderLimits(concurrency=4, requests_per_minute=60, daily_usd=5.0)}
    door.safelight.catalog = replace(door.safelight.catalog, providers=limits)


def shown(door: Door, name: str, query: str = "") -> dict[str, Any]:
    (line,) = [each for each in door.get(f"/api/health/providers{query}").json() if each["provider"] == name]
    return line


def learn(door: Door, error_class: str, words: str) -> None:
    def case(tx: Tx) -> None:
        verdict = Verdict("c", ProviderError(ErrorClass(error_class), words))
        gates.learn(tx, [Heard(Toll("acme", "k1"), verdict)])
        assert reserve(tx, Spending("acme", day_of(tx.now), 1.25, None))

    door.run(door.safelight.database.write(case))


def test_one_without_a_key_says_what_is_missing(sqlite_door: Door) -> None:
    line = shown(sqlite_door, "replicate")
    assert (line["configured"], line["key"], line["missing"]) == (False, "missing", "no REPLICATE_API_TOKEN")


def test_a_built_in_one_needs_no_key(sqlite_door: Door) -> None:
    line = shown(sqlite_door, "procedural")
    assert (line["configured"], line["key"], line["breaker"], line["shut"]) == (True, "none", "closed", None)


def test_one_that_nobody_has_called_is_open_and_shows_its_limits(acme: Door) -> None:
    line = shown(acme, "acme")
    assert line["limits"] == {"concurrency": 4, "requestsPerMinute": 60, "dailyUsd": 5.0}
    assert (line["key"], line["money"], line["reachable"], line["openCalls"]) == ("unknown", None, None, 0)


def test_a_refused_key_is_shown_with_the_provider_s_own_words_and_what_was_spent(acme: Door) -> None:
    learn(acme, "unauthorized", "Incorrect API key provided")
    line = shown(acme, "acme")
    assert (line["key"], line["breaker"], line["shut"]["cause"]) == ("bad", "open", "breaker")
    assert line["shut"]["why"] == "its key is refused: Incorrect API key provided"
    assert line["shut"]["until"].endswith("Z")
    assert (line["lastError"]["class"], line["lastError"]["message"]) == ("unauthorized", "Incorrect API key provided")
    assert (line["spendTodayUsd"], line["callsToday"]) == (1.25, 1)


def test_when_asked_each_says_how_it_is_and_one_that_fails_or_hangs_holds_up_nobody(
    acme: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(route, "ANSWERS_WITHIN_S", 0.05)
    broke = ProbeResult(True, True, False, "balance is 0")
    with_providers(acme, Probed("hangs", None), Probed("breaks", RuntimeError("sk-secret123")), Probed("poor", broke))
    answer = acme.get("/api/health/providers?check=true")
    assert "secret123" not in answer.text
    found = {line["provider"]: line for line in answer.json()}
    assert (found["acme"]["reachable"], found["acme"]["key"], found["acme"]["money"]) == (True, "ok", True)
    assert (found["poor"]["money"], found["poor"]["message"]) == (False, "balance is 0")
    assert (found["hangs"]["reachable"], found["breaks"]["reachable"]) == (False, False)
    assert found["procedural"]["reachable"]
