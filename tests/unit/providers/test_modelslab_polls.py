"""Errors that answer a poll of ModelsLab: some are about the question, and the generation goes on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from safelight.domain.outcomes import ErrorClass, Rejected, RemoteState
from safelight.providers.modelslab.provider import ModelsLabProvider
from safelight.providers.protocol import AskLater
from safelight.testing.tiny_http import Outcome, Reply, Request, listen


def poll(body: dict[str, Any]) -> RemoteState:
    async def answer(request: Request) -> Outcome:
        return Reply(200, body)

    async def run() -> RemoteState:
        listening = await listen(answer, 0)
        provider = ModelsLabProvider("key", f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
        try:
            return await provider.poll("v7/images/7")
        finally:
            await provider.close()
            listening.close()

    return asyncio.run(run())


@pytest.mark.parametrize(
    "message", ["Server is busy, please try again", "The model is loading", "Rate limit exceeded", "Invalid API Key"]
)
def test_who_cannot_tell_now_is_asked_later(message: str) -> None:
    with pytest.raises(AskLater, match=message):
        poll({"status": "error", "message": message})


def test_a_generation_that_failed_is_over_also_where_its_words_say_try_again() -> None:
    state = poll({"status": "failed", "id": 7, "message": "Something went wrong, please try again"})
    assert isinstance(state, Rejected)
    assert state.error.error_class is ErrorClass.UNAVAILABLE


def test_an_error_about_the_generation_is_over() -> None:
    assert isinstance(poll({"status": "error", "message": "NSFW content detected"}), Rejected)
