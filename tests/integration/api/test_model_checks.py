"""Providers are asked for their models, at once, in time, and without paying."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from safelight.api import model_checks
from safelight.providers.protocol import ModelState, ProbeResult
from safelight.testing.providers import ScriptedProvider
from tests.support.door import Door


class Knowing(ScriptedProvider):
    """Says what it was told to of its models; asked for `hangs` it never answers."""

    def __init__(self, name: str, states: dict[str, ModelState | Exception], key_valid: bool = True) -> None:
        super().__init__(name=name, repeatable=False)
        self._states, self._key_valid = states, key_valid
        self.asked: list[str] = []

    async def probe(self) -> ProbeResult:
        return ProbeResult(True, key_valid=self._key_valid)

    async def knows(self, model: str) -> ModelState:
        self.asked.append(model)
        state = self._states.get(model)
        if isinstance(state, Exception):
            raise state
        if state is None:
            await asyncio.Event().wait()
            raise AssertionError
        return state


def test_each_open_route_is_asked_for_and_judged(sqlite_door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_checks, "KNOWS_WITHIN_S", 0.05)
    names = ["gemini-3.1-flash-lite"]
    gemini = Knowing("gemini", {names[0]: ModelState(False, message="no such model")})
    anthropic = Knowing("anthropic", {"claude-sonnet-4-6": ValueError("defect")})
    openai = Knowing("openai", {}, key_valid=False)
    sqlite_door.safelight.providers = {"gemini": gemini, "anthropic": anthropic, "openai": openai}
    answer = sqlite_door.get("/api/health/models")
    assert answer.status_code == 200
    found: dict[str, dict[str, Any]] = {each["model"]: each for each in answer.json()}
    assert (found[names[0]]["found"], found[names[0]]["note"]) == ("gone", "no such model")
    assert (found["claude-sonnet-4-6"]["found"], found["claude-sonnet-4-6"]["note"]) == (
        "unsure",
        "the question failed: ValueError",
    )
    assert found["claude-sonnet-5-5"]["note"] == "no answer within 0 s"
    assert (found["gpt-4.1"]["found"], openai.asked) == ("unfit", [])
    assert (found["google/imagen-4-fast"]["found"], found["google/imagen-4-fast"]["note"]) == (
        "not_set_up",
        "no REPLICATE_API_TOKEN",
    )
    assert "claude-sonnet-4-20250514" not in anthropic.asked
