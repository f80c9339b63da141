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
from safelight.providers.refusals import refused, request_id_of
from safelight.providers.streaming import read_text
from safelight.providers.transport import stream_once
from safelight.providers.whole import whole

BASE_URL = "https://api.anthropic.com"
VERSION = "2023-06-01"
PIECE_WITHIN_S = 120.0
"""It sends a `ping` now and then while it thinks."""
TEXT_WITHIN_S = 600.0


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
        async with stream_once(
            f"{self._url}/v1/messages",
            may_send=report.may_send,
            idle_s=self._piece_s,
            timeout_s=TEXT_WITHIN_S,
            headers=self._headers,
            json=await asyncio.to_thread(message_body, generation),
        ) as answer:
            if not answer.is_success:
                refusal = await whole(answer)
                return refused(refusal, read_refusal(refusal), self._key)
            transcript = MessageTranscript(self._key, request_id_of(answer.headers))
            return await read_text(answer, transcript, generation, report)

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
