"""How a provider is asked for what costs nothing: polls, lists, probes, cancels. Connections are kept.

Nothing is retried here: the worker asks again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

from safelight.net.certificates import tls

ANSWER_WITHIN_S = 20.0


class Asking:
    """A client for one provider, opened at its first question. `headers` carry the key and are never logged."""

    def __init__(self, base_url: str, headers: Mapping[str, str] | None = None, within_s: float = ANSWER_WITHIN_S):
        self._base_url, self._headers, self._within_s = base_url, dict(headers or {}), within_s
        self._client: httpx.AsyncClient | None = None

    async def get(self, path: str, **options: Any) -> httpx.Response:
        """Raises httpx.HTTPError where there is no answer; whatever the status, an answer is returned."""
        return await (await self._opened()).get(path, **options)

    async def post(self, path: str, **options: Any) -> httpx.Response:
        """The same for what changes nothing that is paid for: a cancel, a fetch. Paid requests go by `post_once`."""
        return await (await self._opened()).post(path, **options)

    async def close(self) -> None:
        """May be called twice, and unused."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _opened(self) -> httpx.AsyncClient:
        certificates = await asyncio.to_thread(tls) if self._base_url.startswith("https:") else False
        if self._client is None:
            limits = httpx.Limits(max_connections=100, max_keepalive_connections=20)
            self._client = httpx.AsyncClient(
                base_url=self._base_url,
                headers=self._headers,
                timeout=self._within_s,
                verify=certificates,
                limits=limits,
                follow_redirects=False,
                trust_env=False,
            )
        return self._client
