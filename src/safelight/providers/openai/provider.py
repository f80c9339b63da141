"""OpenAI: one long call per picture or text, under no name of ours: what is cut after sending is not known."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import httpx

from safelight.domain.outcomes import ErrorClass, ProviderError, Rejected, RemoteState
from safelight.domain.secrets import keep_secret
from safelight.providers.asking import Asking
from safelight.providers.keys import fingerprint
from safelight.providers.openai.asking_pictures import edit_form, picture_body
from safelight.providers.openai.asking_text import text_body
from safelight.providers.openai.reading_pictures import read_pictures
from safelight.providers.openai.reading_text import ChatTranscript, read_completion
from safelight.providers.openai.refusing import read_refusal
from safelight.providers.probing import known, probed
from safelight.providers.protocol import Generation, ModelState, ProbeResult, Report
from safelight.providers.refusals import refused, request_id_of
from safelight.providers.streaming import written
from safelight.providers.transport import post_once
from safelight.providers.whole import MOST_PICTURES_BYTES

BASE_URL = "https://api.openai.com/v1"
PICTURE_WITHIN_S = 420.0
"""Pictures of high quality take minutes, and nothing comes on the way."""
PIECE_WITHIN_S = 120.0
"""A model that thinks first is silent for long."""


class OpenAIProvider:
    """`base_url` with or without `/v1`, as the official client and Safelight's other settings have it."""

    name = "openai"
    repeatable = False
    idempotent = False

    def __init__(self, key: str, base_url: str | None = None, *, answer_within_s: float | None = None) -> None:
        keep_secret(key)
        self.fingerprint = fingerprint(key)
        self._key = key
        self._url = _with_version(base_url or BASE_URL)
        self._headers = {"Authorization": f"Bearer {key}"}
        self._picture_s, self._piece_s = answer_within_s or PICTURE_WITHIN_S, answer_within_s or PIECE_WITHIN_S
        self._asking = Asking(self._url, self._headers, min(answer_within_s or 20.0, 20.0))

    async def warm_up(self) -> None:
        """Nothing to get ready."""

    async def start(self, generation: Generation, call_id: str, report: Report) -> RemoteState:
        if generation.kind == "text":
            return await self._write(generation, report)
        return await self._edit(generation, report) if generation.inputs else await self._draw(generation, report)

    async def poll(self, remote_id: str) -> RemoteState:
        return Rejected(ProviderError(ErrorClass.INVALID_REQUEST, "OpenAI answers at once and keeps no calls."))

    async def cancel(self, remote_id: str) -> None:
        """A text stops when its report says so; a picture cannot be stopped."""

    async def probe(self) -> ProbeResult:
        """The list of models. OpenAI tells a key like ours nothing of money."""
        return await probed(self._asking.get("/models"), self._key, read_refusal)

    async def knows(self, model: str) -> ModelState:
        return await known(self._asking.get(f"/models/{model}"), self._key, read_refusal)

    async def close(self) -> None:
        await self._asking.close()

    async def _draw(self, generation: Generation, report: Report) -> RemoteState:
        answer = await post_once(
            f"{self._url}/images/generations",
            may_send=report.may_send,
            timeout_s=self._picture_s,
            limit_bytes=MOST_PICTURES_BYTES,
            headers=self._headers,
            json=picture_body(generation),
        )
        return await self._pictures(answer)

    async def _edit(self, generation: Generation, report: Report) -> RemoteState:
        form, files = edit_form(generation)
        answer = await post_once(
            f"{self._url}/images/edits",
            may_send=report.may_send,
            timeout_s=self._picture_s,
            limit_bytes=MOST_PICTURES_BYTES,
            headers=self._headers,
            form=form,
            files=files,
        )
        return await self._pictures(answer)

    async def _pictures(self, answer: httpx.Response) -> RemoteState:
        if not answer.is_success:
            return refused(answer, read_refusal(answer), self._key)
        return await asyncio.to_thread(read_pictures, answer)  # a hundred megabytes of text, if there are many

    async def _write(self, generation: Generation, report: Report) -> RemoteState:
        return await written(
            f"{self._url}/chat/completions",
            generation,
            report,
            headers=self._headers,
            body=await asyncio.to_thread(text_body, generation),
            key=self._key,
            idle_s=self._piece_s,
            read_refusal=read_refusal,
            transcript=ChatTranscript,
            in_one_piece=lambda answer: read_completion(answer.json(), self._key, request_id_of(answer.headers)),
        )


def _with_version(url: str) -> str:
    url = url.rstrip("/")
    return url if urlsplit(url).path else f"{url}/v1"
