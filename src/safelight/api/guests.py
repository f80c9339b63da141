"""What holds for every open socket, whichever door: how many a user may have, how long it stays, how it is sent to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from fastapi import WebSocket, WebSocketDisconnect

from safelight.api.context import Visitor, still_welcome
from safelight.domain.errors import RateLimited, Remedy, SafelightError

MOST_SOCKETS: Final = 5_000
"""Of one user at one process. Browsers open one for each page."""
CHECK_S: Final = 30.0
"""How often it is looked whether a client's key is still good."""
STALLED_S: Final = 30.0
"""A client that takes nothing for so long is let go; it comes back and is told what it has missed."""
GOODBYE_S: Final = 2.0
POLICY, TRY_AGAIN = 1008, 1013
STALLED = "It took nothing for too long."


@contextmanager
def counted(websocket: WebSocket, caller: Visitor) -> Iterator[None]:
    """One more socket of a user, while the block lasts. Raises RateLimited before it if there are too many."""
    sockets: Counter[str] = websocket.app.state.sockets
    if sockets[caller.user_id] >= MOST_SOCKETS:
        raise RateLimited(
            f"You have {MOST_SOCKETS} sockets open at this server.",
            remedy=Remedy("Close some; one can have many topics."),
        )
    sockets[caller.user_id] += 1
    try:
        yield
    finally:
        sockets[caller.user_id] -= 1
        if not sockets[caller.user_id]:
            del sockets[caller.user_id]


async def guard(websocket: WebSocket, caller: Visitor) -> None:
    """Runs beside a socket: whoever was let in by a key stays no longer than it is good."""
    while await _may_stay(websocket, caller):  # noqa: ASYNC110 - of a key nobody hears that it was revoked
        await asyncio.sleep(CHECK_S)
    await close(websocket, POLICY, "Your key is no longer good: sign in again.")


async def send(websocket: WebSocket, text: str) -> None:
    """Waits while the client takes nothing. Raises WebSocketDisconnect, and TimeoutError if it is stalled."""
    try:
        async with asyncio.timeout(STALLED_S):
            await websocket.send_text(text)
    except RuntimeError as error:  # Starlette's word for a socket that is closed
        raise WebSocketDisconnect from error


async def close(websocket: WebSocket, code: int, reason: str) -> None:
    """Say goodbye to one who may be gone. Who does not even take that is given up."""
    try:
        async with asyncio.timeout(GOODBYE_S):
            await websocket.close(code, reason)
    except TimeoutError:
        websocket.state.given_up.set()
    except (RuntimeError, WebSocketDisconnect):
        return


async def conversing(websocket: WebSocket, conversation: Coroutine[Any, Any, None]) -> None:
    """Speak with a client until the conversation ends, or the client is given up: it may wait for words for ever."""
    given_up = websocket.state.given_up = asyncio.Event()
    talk, patience = asyncio.create_task(conversation), asyncio.create_task(given_up.wait())
    try:
        await asyncio.wait({talk, patience}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        patience.cancel()
        talk.cancel()
    with suppress(asyncio.CancelledError):
        await talk


async def _may_stay(websocket: WebSocket, caller: Visitor) -> bool:
    try:
        return await still_welcome(websocket, caller)
    except (OSError, SafelightError):  # the database is away: nobody can say
        return True
