"""Where Phoenix clients connect: which version they speak, and who they are. The rest is `phoenix_connection.py`."""

from __future__ import annotations

import base64
import binascii
from contextlib import ExitStack
from typing import Final

from fastapi import APIRouter, WebSocket

from safelight.api import guests
from safelight.api.context import require, visitor_of
from safelight.api.errors import refusal
from safelight.api.phoenix_connection import Connection
from safelight.api.phoenix_frames import FRAMES, Frames
from safelight.app import Safelight
from safelight.domain.errors import InvalidRequest, Remedy, SafelightError

PATH: Final = "/socket/websocket"
SUBPROTOCOL: Final = "phoenix"
TOKEN: Final = "base64url.bearer.phx."  # noqa: S105  # what stands before one
OLDEST: Final = "1.0.0"
"""What a client speaks that does not say."""

router = APIRouter()


@router.websocket(PATH)
async def socket(websocket: WebSocket) -> None:
    """Speak with one client until it goes."""
    safelight: Safelight = websocket.app.state.safelight
    with ExitStack() as stack:
        try:
            frames = _frames(websocket.query_params.get("vsn", OLDEST))
            caller = require(await visitor_of(websocket, _token(websocket)), "jobs")
            stack.enter_context(guests.counted(websocket, caller))
        except SafelightError as error:
            return await refusal(websocket.scope, error)(websocket.scope, websocket.receive, websocket.send)
        await websocket.accept(SUBPROTOCOL if SUBPROTOCOL in websocket.scope["subprotocols"] else None)
        await guests.conversing(websocket, Connection(websocket, safelight, caller, frames).run())
    return None


def _frames(version: str) -> Frames:
    """By the first two numbers: the third of a version changes nothing on the wire."""
    found = next((frames for name, frames in FRAMES.items() if version.split(".")[:2] == name.split(".")[:2]), None)
    if found is None:
        raise InvalidRequest(
            f"This socket does not speak version {version[:20]!r} of Phoenix channels.",
            remedy=Remedy(f"Ask for one of: {', '.join(FRAMES)}."),
        )
    return found


def _token(websocket: WebSocket) -> str | None:
    """A key or ticket where Phoenix clients put it: `authToken`, which travels as a subprotocol, or `params.token`."""
    for offered in websocket.scope["subprotocols"]:
        if offered.startswith(TOKEN):
            return _decoded(offered[len(TOKEN) :])
    return websocket.query_params.get("token")


def _decoded(text: str) -> str | None:
    """Base64 of either alphabet, without its padding: the client writes one and calls it the other."""
    try:
        padded = text.translate(str.maketrans("-_", "+/")) + "=" * (-len(text) % 4)
        return base64.b64decode(padded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
