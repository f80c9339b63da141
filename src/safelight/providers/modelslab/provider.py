"""ModelsLab: one generation per call, polled; what it says stands in the body, whatever the HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from safelight.domain.outcomes import ErrorClass, ProviderError, Rejected, RemoteState
from safelight.domain.secrets import keep_secret
from safelight.providers.asking import Asking
from safelight.providers.keys import fingerprint, without_key
from safelight.providers.modelslab.naming import CREATE, fetch_path, name_in, track_id, version_and_model
from safelight.providers.modelslab.reading import class_of, read_created, read_generation, words_of
from safelight.providers.probing import json_in, probed
from safelight.providers.protocol import AskLater, CannotStop, Generation, ProbeResult, Report
from safelight.providers.refusals import Refusal, refused, told
from safelight.providers.transport import post_once

BASE_URL = "https://modelslab.com"
ANSWER_WITHIN_S = 120.0
"""A quick model answers with the pictures."""
NAMES: Mapping[str, str | None] = {
    "n": "samples",
    "steps": "num_inference_steps",
    "guidance": "guidance_scale",
    "format": None,
}
"""None: it has no such parameter. What is not named here goes as it is."""
ABOUT_THE_QUESTION = frozenset({ErrorClass.UNAUTHORIZED, ErrorClass.RATE_LIMITED})
"""Errors that say nothing about the generation that was asked for, but are told in the same way."""
TOO_BUSY_TO_TELL = frozenset({ErrorClass.UNAVAILABLE, ErrorClass.COLD_START})
"""Nor do these under the status `error`; a generation that has ended is `failed`."""


class ModelsLabProvider:
    """Models are named as in its catalog, through v7; `v6:name` goes through v6. The key travels in the body."""

    name = "modelslab"
    repeatable = False
    idempotent = False

    def __init__(self, key: str, base_url: str | None = None, *, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        keep_secret(key)
        self.fingerprint = fingerprint(key)
        self._key, self._within_s = key, answer_within_s
        self._url = (base_url or BASE_URL).rstrip("/")
        self._asking = Asking(self._url, within_s=min(answer_within_s, 20.0))

    async def warm_up(self) -> None:
        """Nothing to get ready."""

    async def start(self, generation: Generation, call_id: str, report: Report) -> RemoteState:
        version, model = version_and_model(generation.model)
        answer = await post_once(
            f"{self._url}{CREATE[version]}",
            may_send=report.may_send,
            timeout_s=self._within_s,
            json=self._body(generation, model, track_id(call_id, version)),
        )
        if not answer.is_success:
            words = words_of(_object_in(answer))
            return refused(answer, Refusal(words, error_class=class_of(words, answer.status_code)), self._key)
        return self._safe(read_created(answer.json(), version))

    async def poll(self, remote_id: str) -> RemoteState:
        path = fetch_path(remote_id)
        if path is None:
            return Rejected(ProviderError(ErrorClass.INVALID_REQUEST, "ModelsLab has no such generation.", "404"))
        answer = await self._asking.post(path, json={"key": self._key})
        state = self._safe(read_generation(told(answer), "", named=remote_id))
        if isinstance(state, Rejected) and _is_about_the_question(state.error):
            raise AskLater(state.error.message, state.error.retry_after_s)
        return state

    async def cancel(self, remote_id: str) -> None:
        raise CannotStop("ModelsLab offers no way to stop a generation")

    async def probe(self) -> ProbeResult:
        """The load of its machines, which it tells only to those who have a key."""
        asked = self._asking.post("/api/v3/system_load", json={"key": self._key})
        return await probed(asked, self._key, _refusal, _wrong)

    def read_callback(self, body: Any) -> str | None:
        """A webhook's body is what a question would be answered, with our own id in `track_id`."""
        return name_in(body) if isinstance(body, dict) and "status" in body else None

    async def close(self) -> None:
        await self._asking.close()

    def _body(self, generation: Generation, model: str, our_id: str) -> dict[str, Any]:
        named = {
            theirs: value for name, value in generation.params.items() if (theirs := NAMES.get(name, name)) is not None
        }
        webhook = {"webhook": generation.callback_url} if generation.callback_url else {}
        asked = {"model_id": model, "prompt": generation.prompt, "track_id": our_id}
        return {"key": self._key, **asked, **named, **webhook}

    def _safe(self, state: RemoteState) -> RemoteState:
        """Its errors may repeat the key that came in the body."""
        if not isinstance(state, Rejected) or self._key not in state.error.message:
            return state
        error = state.error
        words = without_key(error.message, self._key)
        return Rejected(
            ProviderError(error.error_class, words, error.provider_code, error.retry_after_s, error.request_id)
        )


def _is_about_the_question(error: ProviderError) -> bool:
    busy = error.provider_code == "error" and error.error_class in TOO_BUSY_TO_TELL
    return busy or error.error_class in ABOUT_THE_QUESTION


def _object_in(answer: httpx.Response) -> Mapping[str, Any]:
    body = json_in(answer)
    return body if isinstance(body, dict) else {}


def _refusal(answer: httpx.Response) -> Refusal:
    return Refusal(words_of(_object_in(answer)))


def _wrong(answer: httpx.Response) -> ErrorClass | None:
    body = _object_in(answer)
    failed = body.get("status") in ("error", "failed")
    return class_of(words_of(body), answer.status_code) if failed or answer.status_code in (401, 402, 403) else None
