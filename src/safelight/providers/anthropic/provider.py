"""Anthropic: one streamed message per call, under no name of ours: what is cut after sending is not known."""

from __future__ import annotations

import asyncio

from safelight.domain.outcomes import ErrorClass, ProviderError, Rejected, RemoteState
from safelight.domain.secrets import keep_secret
from safelight.providers.anthropic.asking import message_body
from safelight.providers.anthropic.reading import MessageTranscript, read_refusal
from safelight.providers.asking import Asking
from safelight.providers.keys import fingerprint
from safelight.providers.probing import known, probed
from safelight.providers.protocol import Generation, ModelState, ProbeResult, Report
from safelight.providers.streaming import written

BASE_URL = "https://api.anthropic.com"
VERSION = "2023-06-01"
PIECE_WITHIN_S = 120.0
"""It sends a `ping` now and then while it thinks."""


class AnthropicProvider:
    """Texts, with pictures to look at if there are any."""

    name = "anthropic"
    repeatable = False
    idempotent = False

    def __init__(self, key: str, base_url: str | None = None, *, answer_within_s: float = PIECE_WITHIN_S) -> None:
        keep_secret(key)
        self.fingerprint = fingerprint(key)
        self._key, self._piece_s = key, answer_within_s
        self._url = (base_url or BASE_URL).rstrip("/")
        self._headers = {"x-api-key": key, "anthropic-version": VERSION}
        self._asking = Asking(self._url, self._headers, min(answer_within_s, 20.0))

    async def warm_up(self) -> None:
        """Nothing to get ready."""

    async def start(self, generation: Generation, call_id: str, report: Report) -> RemoteState:
        return await written(
            f"{self._url}/v1/messages",
            generation,
            report,
            headers=self._headers,
            body=await asyncio.to_thread(message_body, generation),
            key=self._key,
            idle_s=self._piece_s,
            read_refusal=read_refusal,
            transcript=MessageTranscript,
        )

    async def poll(self, remote_id: str) -> RemoteState:
        return Rejected(ProviderError(ErrorClass.INVALID_REQUEST, "Anthropic answers at once and keeps no calls."))

    async def cancel(self, remote_id: str) -> None:
        """A text stops when its report says so."""

    async def probe(self) -> ProbeResult:
        """The list of models. Anthropic tells a key like ours nothing of money."""
        return await probed(self._asking.get("/v1/models"), self._key, read_refusal)

    async def knows(self, model: str) -> ModelState:
        return await known(self._asking.get(f"/v1/models/{model}"), self._key, read_refusal)

    async def close(self) -> None:
        await self._asking.close()
