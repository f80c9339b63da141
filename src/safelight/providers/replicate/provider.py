"""Replicate: one prediction per call, polled; its webhook brings the news earlier, and heals a lost answer."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx

from safelight.domain.outcomes import ErrorClass, ProviderError, Rejected, RemoteState
from safelight.domain.secrets import keep_secret
from safelight.providers.asking import Asking
from safelight.providers.keys import fingerprint
from safelight.providers.probing import known, probed
from safelight.providers.protocol import Generation, Input, ModelState, NotSent, ProbeResult, Report
from safelight.providers.refusals import refused, told
from safelight.providers.replicate.inputs import input_of
from safelight.providers.replicate.reading import read_created, read_prediction, read_refusal
from safelight.providers.transport import post_once

BASE_URL = "https://api.replicate.com"
ANSWER_WITHIN_S = 30.0
"""It answers at once, without waiting for the result."""
IN_THE_TEXT_BYTES = 256 * 1024
"""Up to here Replicate takes a file as a data URI; larger ones are uploaded before."""
CANCEL_AFTER = {"image": "10m", "upscale": "10m", "video": "30m", "text": "5m"}
"""Replicate stops and, if it has not started, does not charge what nobody waits for any more."""

_NAME = re.compile(r"[A-Za-z0-9_-]+")
"""Of a prediction. It comes from outside and goes into addresses: others would lead elsewhere."""


class ReplicateProvider:
    """Models are named `owner/name` or, with a version, `owner/name:version`."""

    name = "replicate"
    repeatable = False
    idempotent = False

    def __init__(self, key: str, base_url: str | None = None, *, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        keep_secret(key)
        self.fingerprint = fingerprint(key)
        self._key, self._within_s = key, answer_within_s
        self._url = (base_url or BASE_URL).rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"}
        self._asking = Asking(self._url, self._headers, min(answer_within_s, 20.0))

    async def warm_up(self) -> None:
        """Nothing to get ready."""

    async def start(self, generation: Generation, call_id: str, report: Report) -> RemoteState:
        addresses: dict[int, str] = {}
        for place, picture in enumerate(generation.inputs):
            if len(picture.data) > IN_THE_TEXT_BYTES:
                uploaded = await self._uploaded(picture)
                if isinstance(uploaded, Rejected):
                    return uploaded
                addresses[place] = uploaded
        body: dict[str, Any] = {"input": await asyncio.to_thread(input_of, generation, addresses)}
        if generation.callback_url:
            body |= {"webhook": generation.callback_url, "webhook_events_filter": ["start", "completed"]}
        model, _, version = generation.model.partition(":")
        path = "/v1/predictions" if version else f"/v1/models/{model}/predictions"
        answer = await post_once(
            f"{self._url}{path}",
            may_send=report.may_send,
            timeout_s=self._within_s,
            headers={**self._headers, "Cancel-After": CANCEL_AFTER.get(generation.kind, "10m")},
            json={"version": version, **body} if version else body,
        )
        return read_created(answer.json()) if answer.is_success else refused(answer, read_refusal(answer), self._key)

    async def poll(self, remote_id: str) -> RemoteState:
        if not _NAME.fullmatch(remote_id):
            return _no_such_prediction()
        answer = await self._asking.get(f"/v1/predictions/{remote_id}")
        if answer.status_code == 404:
            return _no_such_prediction()
        return read_prediction(told(answer))

    async def cancel(self, remote_id: str) -> None:
        if not _NAME.fullmatch(remote_id):
            return
        answer = await self._asking.post(f"/v1/predictions/{remote_id}/cancel")
        if answer.status_code != 404:
            answer.raise_for_status()

    async def find(self, call_id: str) -> str | None:
        """By the callback address with our id, for calls that had one, among the newest hundred."""
        listed = told(await self._asking.get("/v1/predictions"))["results"]
        return next((str(each["id"]) for each in listed if call_id in str(each.get("webhook") or "")), None)

    async def probe(self) -> ProbeResult:
        """Whose key it is. Replicate tells nobody how much money is left."""
        return await probed(self._asking.get("/v1/account"), self._key, read_refusal)

    async def knows(self, model: str) -> ModelState:
        return await known(self._asking.get(f"/v1/models/{model.partition(':')[0]}"), self._key, read_refusal)

    def read_callback(self, body: Any) -> str | None:
        """A webhook's body is the prediction."""
        found = body.get("id") if isinstance(body, dict) and "status" in body else None
        return found if isinstance(found, str) else None

    async def close(self) -> None:
        await self._asking.close()

    async def _uploaded(self, picture: Input) -> str | Rejected:
        """The address of an input at Replicate, where it is kept for a day. That costs nothing."""
        try:
            files = {"content": (picture.role, picture.data, picture.mime)}
            answer = await self._asking.post("/v1/files", files=files)
            if answer.is_client_error or answer.status_code == 503:
                return refused(answer, read_refusal(answer), self._key)
            return str(told(answer)["urls"]["get"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise NotSent(f"an input could not be uploaded: {type(error).__name__}: {error}") from error


def _no_such_prediction() -> Rejected:
    return Rejected(ProviderError(ErrorClass.INVALID_REQUEST, "Replicate has no such prediction.", "404"))
