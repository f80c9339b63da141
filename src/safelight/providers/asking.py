"""How a provider is asked for what costs nothing: polls, lists, probes, cancels. Connections are kept.

Nothing is retried here: the worker asks again. Each connection is a client of its own: one pool of many connections
walks through all that wait at every request, and a thousand polls that waited for one have stopped a worker's loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

from safelight.net.certificates import tls
from safelight.providers.whole import whole

ANSWER_WITHIN_S = 20.0
MOST_CONNECTIONS = 64
"""At a time. Whoever asks more waits for one to be free: with answers after 0.1 s that is 640 questions a second."""
ONE = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=30.0)


class Asking:
    """Asks one provider, from the first question on. `headers` carry the key and are never logged."""

    def __init__(self, base_url: str, headers: Mapping[str, str] | None = None, within_s: float = ANSWER_WITHIN_S):
        self._base_url, self._headers, self._within_s = base_url, dict(headers or {}), within_s
        self._room = asyncio.Semaphore(MOST_CONNECTIONS)
        self._free: list[httpx.AsyncClient] = []

    async def get(self, path: str, **options: Any) -> httpx.Response:
        """Raises httpx.HTTPError where there is no answer; whatever the status, an answer is returned."""
        return await self._ask("GET", path, **options)

    async def post(self, path: str, **options: Any) -> httpx.Response:
        """The same for what changes nothing that is paid for: a cancel, a fetch. Paid requests go by `post_once`."""
        return await self._ask("POST", path, **options)

    async def close(self) -> None:
        """May be called twice, and unused."""
        clients, self._free = self._free, []
        for client in clients:
            await client.aclose()

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        async with self._room:
            client = self._free.pop() if self._free else await self._opened()  # the latest used: others may rest
            try:
                answer = await client.send(client.build_request(method, path, **options), stream=True)
                try:
                    return await whole(answer)
                finally:
                    await answer.aclose()
            finally:
                self._free.append(client)

    async def _opened(self) -> httpx.AsyncClient:
        certificates = await asyncio.to_thread(tls) if self._base_url.startswith("https:") else False
        return httpx.AsyncClient(
            base_url=self._base_url,
            headers=self._headers,
            timeout=self._within_s,
            verify=certificates,
            limits=ONE,
            follow_redirects=False,
            trust_env=False,
        )
