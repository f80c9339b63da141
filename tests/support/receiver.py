"""A receiver of webhooks: it writes down what it is told, and answers as a test says."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from standardwebhooks.webhooks import Webhook

from safelight.testing.tiny_http import Outcome, Reply, Request, listen

PATIENCE_S = 20.0


class Receiver:
    """`answers` come one after the other, the last one again and again. `told` are the requests, in order."""

    def __init__(self, *answers: Outcome) -> None:
        self._answers = list(answers) or [Reply(204, b"")]
        self.told: list[Request] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._heard = asyncio.Condition()

    async def open(self, tls: ssl.SSLContext | None = None) -> None:
        self._server = await listen(self._answer, 0, tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()

    async def until(self, count: int) -> None:
        """Return when it was told so often."""
        async with asyncio.timeout(PATIENCE_S), self._heard:
            await self._heard.wait_for(lambda: len(self.told) >= count)

    @property
    def ids(self) -> list[str]:
        return [request.headers["webhook-id"] for request in self.told]

    async def _answer(self, request: Request) -> Outcome:
        async with self._heard:
            self.told.append(request)
            self._heard.notify_all()
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def verified(request: Request, secret: str) -> dict[str, Any]:
    """What a webhook says, as the reference library reads it. Raises WebhookVerificationError."""
    body: dict[str, Any] = Webhook(secret).verify(request.content, dict(request.headers))
    return body
