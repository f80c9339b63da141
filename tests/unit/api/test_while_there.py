"""Work ends with its caller: an answer that nobody hears is not worked for."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from safelight.api.while_there import while_there


def request_of(hangs_up: asyncio.Event) -> Request:
    async def receive() -> Message:
        await hangs_up.wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


def test_who_stays_gets_what_it_brings() -> None:
    async def scenario() -> str:
        return await while_there(request_of(asyncio.Event()), asyncio.sleep(0, "done"))

    assert asyncio.run(scenario()) == "done"


def test_what_goes_wrong_is_raised_as_it_is() -> None:
    async def wrong() -> None:
        raise ValueError("no")

    async def scenario() -> None:
        await while_there(request_of(asyncio.Event()), wrong())

    with pytest.raises(ValueError, match="no"):
        asyncio.run(scenario())


def test_who_hangs_up_ends_the_work() -> None:
    ended = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def scenario() -> None:
        hangs_up = asyncio.Event()
        hangs_up.set()
        with pytest.raises(ClientDisconnect):
            await while_there(request_of(hangs_up), endless())

    asyncio.run(scenario())
    assert ended == [True]
