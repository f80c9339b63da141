"""A look at a provider that costs nothing: what an answer, or none, says about its address and its key."""

from __future__ import annotations

from collections.abc import Awaitable

import httpx

from safelight.domain.text import presentable
from safelight.providers.keys import without_key
from safelight.providers.protocol import ProbeResult

LONGEST_MESSAGE = 200


async def probed(asked: Awaitable[httpx.Response], key: str, money: int | None = None) -> ProbeResult:
    """What a question means whose good answer is a JSON object or list. `money` is the status that says there is none.

    Never raises for what the network or the provider does.
    """
    try:
        answer = await asked
    except httpx.HTTPError as error:
        return ProbeResult(reachable=False, message=f"{type(error).__name__}: {error}"[:LONGEST_MESSAGE])
    text = presentable(without_key(answer.text, key), LONGEST_MESSAGE)
    if answer.status_code in (401, 403):
        return ProbeResult(reachable=True, key_valid=False, message=text)
    if answer.status_code == money:
        return ProbeResult(reachable=True, key_valid=True, has_money=False, message=text)
    if not answer.is_success or not _is_json(answer):
        return ProbeResult(reachable=True, message=f"answered {answer.status_code}: {text}")
    return ProbeResult(reachable=True, key_valid=True, has_money=None if money is None else True)


def _is_json(answer: httpx.Response) -> bool:
    try:
        return isinstance(answer.json(), dict | list)
    except ValueError:
        return False
