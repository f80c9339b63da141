"""Gemini: one streamed generation per call, under no name of ours: what is cut after sending is not known."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

from safelight.domain.outcomes import ErrorClass, ProviderError, Rejected, RemoteState
from safelight.domain.secrets import keep_secret
from safelight.providers.asking import Asking
from safelight.providers.gemini.asking import content_body
from safelight.providers.gemini.reading import ContentTranscript, read_refusal, wrong_with
from safelight.providers.keys import fingerprint
from safelight.providers.probing import known, probed
from safelight.providers.protocol import Generation, ModelState, ProbeResult, Report
from safelight.providers.streaming import written

BASE_URL = "https://generativelanguage.googleapis.com"
PIECE_WITHIN_S = 120.0
"""A model that thinks first is silent for long."""


class GeminiProvider:
    """Texts, with pictures to look at if there are any."""

    name = "gemini"
    repeatable = False
    idempotent = False

    def __init__(self, key: str, base_url: str | None = None, *, answer_within_s: float = PIECE_WITHIN_S) -> None:
        keep_secret(key)
        self.fingerprint = fingerprint(key)
        self._key, self._piece_s = key, answer_within_s
        self._url = (base_url or BASE_URL).rstrip("/")
        self._headers = {"x-goog-api-key": key}
        self._asking = Asking(self._url, self._headers, min(answer_within_s, 20.0))

    async def warm_up(self) -> None:
        """Nothing to get ready."""

    async def start(self, generation: Generation, call_id: str, report: Report) -> RemoteState:
        model = quote(generation.model.removeprefix("models/"), safe="")
        return await written(
            f"{self._url}/v1beta/models/{model}:streamGenerateContent?alt=sse",
            generation,
            report,
            headers=self._headers,
            body=await asyncio.to_thread(content_body, generation),
            key=self._key,
            idle_s=self._piece_s,
            read_refusal=read_refusal,
            transcript=ContentTranscript,
        )

    async def poll(self, remote_id: str) -> RemoteState:
        return Rejected(ProviderError(ErrorClass.INVALID_REQUEST, "Gemini answers at once and keeps no calls."))

    async def cancel(self, remote_id: str) -> None:
        """A text stops when its report says so."""

    async def probe(self) -> ProbeResult:
        """The list of models. Google tells a key nothing of money."""
        return await probed(self._asking.get("/v1beta/models"), self._key, read_refusal, wrong_with)

    async def knows(self, model: str) -> ModelState:
        return await known(self._asking.get(f"/v1beta/models/{model}"), self._key, read_refusal)

    async def close(self) -> None:
        await self._asking.close()
