"""HEAD: the headers of the same GET, without its body. Whoever probes an address with it need not know more."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

ASKED = "safelight.asked_for_head"


def asked_for_head(scope: Scope) -> bool:
    """Whether the GET that a route sees was a HEAD: it could not follow a redirect that is signed for GET."""
    return ASKED in scope


class HeadAsGet:
    """Lets every route that answers GET answer HEAD; a stream is left as soon as its headers are there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            return await self._app(scope, receive, send)
        answered = asyncio.Event()

        async def send_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b""})
                answered.set()

        async def receive_end() -> Message:
            await answered.wait()
            return {"type": "http.disconnect"}

        headers = [(name, value) for name, value in scope["headers"] if name != b"range"]  # defined for GET only
        return await self._app({**scope, "method": "GET", "headers": headers, ASKED: True}, receive_end, send_headers)
