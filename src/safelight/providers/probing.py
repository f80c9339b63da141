"""A look at a provider that costs nothing: what an answer, or none, says about its address and its key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import httpx

from safelight.domain.outcomes import ErrorClass
from safelight.domain.text import presentable
from safelight.providers.keys import without_key
from safelight.providers.protocol import ModelState, ProbeResult
from safelight.providers.refusals import Refusal

LONGEST_MESSAGE = 200
Reader = Callable[[httpx.Response], Refusal]
"""Finds a provider's words in its refusal."""


def by_status(answer: httpx.Response) -> ErrorClass | None:
    """For a provider whose status says what is wrong."""
    return ErrorClass.UNAUTHORIZED if answer.status_code in (401, 403) else None


async def probed(
    asked: Awaitable[httpx.Response],
    key: str,
    read: Reader,
    wrong: Callable[[httpx.Response], ErrorClass | None] = by_status,
    *,
    tells_money: bool = False,
) -> ProbeResult:
    """What a question means whose good answer is JSON. Never raises for what the network or the provider does."""
    try:
        answer = await asked
    except httpx.HTTPError as error:
        return ProbeResult(reachable=False, message=f"{type(error).__name__}: {error}"[:LONGEST_MESSAGE])
    problem = wrong(answer)
    if problem is None and answer.is_success and json_in(answer) is not None:
        return ProbeResult(reachable=True, key_valid=True, has_money=True if tells_money else None)
    text = _words(answer, key, read)
    match problem:
        case ErrorClass.UNAUTHORIZED:
            return ProbeResult(reachable=True, key_valid=False, message=text)
        case ErrorClass.OUT_OF_CREDIT:
            return ProbeResult(reachable=True, key_valid=True, has_money=False, message=text)
    return ProbeResult(reachable=True, message=f"answered {answer.status_code}: {text}")


async def known(asked: Awaitable[httpx.Response], key: str, read: Reader) -> ModelState:
    """What an answer to the question for one model means, by its status: 404 and 410 say that there is none."""
    try:
        answer = await asked
    except httpx.HTTPError as error:
        return ModelState(None, message=f"{type(error).__name__}: {error}"[:LONGEST_MESSAGE])
    found = json_in(answer)
    if answer.is_success and isinstance(found, dict):
        return ModelState(True, _day(found.get("shutdown_date")))
    text = _words(answer, key, read)
    if answer.status_code in (404, 410):
        return ModelState(False, message=text)
    return ModelState(None, message=f"answered {answer.status_code}: {text}")


def _words(answer: httpx.Response, key: str, read: Reader) -> str:
    """What the adapter's reader finds in a refusal; where that is nothing, all of it."""
    return presentable(without_key(read(answer).message or answer.text, key), LONGEST_MESSAGE)


def _day(told: Any) -> date | None:
    """OpenAI's models carry `shutdown_date`: a day such as 2026-12-01, or null."""
    try:
        return date.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return None


def json_in(answer: httpx.Response) -> Any:
    """The JSON of an answer; None if it is none."""
    try:
        return answer.json()
    except ValueError:
        return None
