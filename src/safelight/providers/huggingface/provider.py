"""Hugging Face: one request, and its answer is the picture. A call whose answer is lost cannot be asked for."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from safelight.domain.outcomes import ErrorClass, ProviderError, Rejected, RemoteState
from safelight.domain.secrets import keep_secret
from safelight.providers.asking import Asking
from safelight.providers.huggingface.inputs import accepted_type, body_of
from safelight.providers.huggingface.reading import read_picture, read_refusal
from safelight.providers.keys import fingerprint
from safelight.providers.probing import probed
from safelight.providers.protocol import Generation, ProbeResult, Report
from safelight.providers.refusals import refused
from safelight.providers.transport import post_once
from safelight.providers.whole import MOST_PICTURES_BYTES

BASE_URL = "https://router.huggingface.co"
HUB_URL = "https://huggingface.co"
"""Where keys are looked up."""
ANSWER_WITHIN_S = 300.0


class HuggingFaceProvider:
    """Models are named as on the Hub: `owner/name`."""

    name = "huggingface"
    repeatable = False
    idempotent = False

    def __init__(self, key: str, base_url: str | None = None, *, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        keep_secret(key)
        self.fingerprint = fingerprint(key)
        self._key, self._within_s = key, answer_within_s
        self._url = (base_url or BASE_URL).rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"}
        hub = HUB_URL if urlsplit(self._url).hostname == urlsplit(BASE_URL).hostname else self._url
        self._asking = Asking(hub, self._headers, min(answer_within_s, 20.0))

    async def warm_up(self) -> None:
        """Nothing to get ready."""

    async def start(self, generation: Generation, call_id: str, report: Report) -> RemoteState:
        answer = await post_once(
            f"{self._url}/hf-inference/models/{generation.model}",
            may_send=report.may_send,
            timeout_s=self._within_s,
            limit_bytes=MOST_PICTURES_BYTES,
            headers={**self._headers, "Accept": accepted_type(generation)},
            json=await asyncio.to_thread(body_of, generation),
        )
        if answer.is_success:
            return read_picture(answer, generation.params.get("seed"))
        return refused(answer, read_refusal(answer), self._key)

    async def poll(self, remote_id: str) -> RemoteState:
        """It names no calls, so there is none to ask for."""
        return Rejected(ProviderError(ErrorClass.INVALID_REQUEST, "Hugging Face keeps no calls.", "404"))

    async def cancel(self, remote_id: str) -> None:
        """Nothing to stop: whoever waits hangs up."""

    async def probe(self) -> ProbeResult:
        """Whose key it is. How much money is left is told only by a refusal."""
        return await probed(self._asking.get("/api/whoami-v2"), self._key, read_refusal)

    async def close(self) -> None:
        await self._asking.close()
