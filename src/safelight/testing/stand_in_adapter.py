"""The adapter of the stand-in provider, as an author outside Safelight would write one: paid, remote, never repeated.

`offer` puts it where a process finds it: a folder on PYTHONPATH that names it under the entry points
`safelight.providers`, as an installed package does, and a catalog with its model.
"""

from __future__ import annotations

import base64
import os
import ssl
from pathlib import Path
from typing import Any

import httpx

from safelight.domain.outcomes import (
    Done,
    ErrorClass,
    Output,
    Pending,
    ProviderError,
    Rejected,
    RemoteFile,
    RemoteState,
)
from safelight.providers.protocol import Generation, ProbeResult, Report
from safelight.providers.transport import post_once
from safelight.testing.stand_in_provider import ROOT

URL_SETTING = "SAFELIGHT_TEST_STAND_IN_URL"
ONCE_SETTING = "SAFELIGHT_TEST_STAND_IN_IDEMPOTENT"
LONGEST_S = 60.0
CATALOG = """
[[models]]
id = "stand-in"
title = "Stand-in picture"
description = "Tiny grey pictures of a provider that only tests know."
kind = "image"
inputs = { image = "optional" }
price = { per = "image", credits = 3 }
typical_s = 1
routes = [{ provider = "stand-in", model = "grey-1", cost_usd = 0.04 }]

[models.parameters.n]
type = "integer"
minimum = 1
maximum = 10
default = 1
"""


class StandInProvider:
    """Talks to the stand-in whose address the environment names."""

    name = "stand-in"
    repeatable = False
    fingerprint = ""

    def __init__(self, url: str | None = None, *, idempotent: bool | None = None) -> None:
        self.base_url = self._url = url or os.environ[URL_SETTING]
        self.idempotent = os.environ.get(ONCE_SETTING) == "1" if idempotent is None else idempotent
        plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # it is on this machine: no need to read any certificates
        self._asking = httpx.AsyncClient(base_url=self._url, timeout=LONGEST_S, trust_env=False, verify=plain)

    async def warm_up(self) -> None:
        """Nothing to get ready."""

    async def start(self, generation: Generation, call_id: str, report: Report) -> RemoteState:
        named = {"call_id": call_id, "prompt": generation.prompt, "model": generation.model}
        body = {**named, "once": self.idempotent, **generation.params}
        answer = await post_once(f"{self._url}{ROOT}", may_send=report.may_send, timeout_s=LONGEST_S, json=body)
        return read_creation(answer, self._url)

    async def poll(self, remote_id: str) -> RemoteState:
        answer = await self._asking.get(f"{ROOT}/{remote_id}")
        if answer.status_code == 404:
            return Rejected(ProviderError(ErrorClass.INVALID_REQUEST, "there is no such generation", "404"))
        return read_generation(answer.raise_for_status().json(), self._url)

    async def cancel(self, remote_id: str) -> None:
        answer = await self._asking.post(f"{ROOT}/{remote_id}/cancel")
        if answer.status_code != 404:
            answer.raise_for_status()

    async def find(self, call_id: str) -> str | None:
        """By the provider's list. None proves nothing: the list may lag."""
        answer = (await self._asking.get(ROOT, params={"call_id": call_id})).raise_for_status()
        return next((str(one["id"]) for one in answer.json()["generations"]), None)

    def read_callback(self, body: Any) -> str | None:
        """Tests announce for it: the stand-in itself calls nobody."""
        found = body.get("id") if isinstance(body, dict) else None
        return found if isinstance(found, str) else None

    async def probe(self) -> ProbeResult:
        try:
            (await self._asking.get(ROOT)).raise_for_status()
        except httpx.HTTPError as error:
            return ProbeResult(reachable=False, message=str(error))
        return ProbeResult(reachable=True)

    async def close(self) -> None:
        await self._asking.aclose()


def read_creation(answer: httpx.Response, url: str) -> RemoteState:
    """429 and 503 are documented as "not accepted"; whatever else is no answer at all raises."""
    if answer.status_code == 429:
        wait = answer.headers.get("Retry-After")
        return Rejected(
            ProviderError(ErrorClass.RATE_LIMITED, "slow down", "429", None if wait is None else float(wait))
        )
    if answer.status_code == 503:
        wait = answer.json().get("estimated_time")
        return Rejected(ProviderError(ErrorClass.COLD_START, "the model is loading", "503", wait))
    return read_generation(answer.raise_for_status().json(), url)


def read_generation(body: dict[str, Any], url: str) -> RemoteState:
    """Translate the provider's generation object. Its links lead to the provider itself, at `url`."""
    match body["status"]:
        case "processing":
            return Pending(body["id"])
        case "succeeded":
            if "links" in body:
                return Done(tuple(RemoteFile(f"{url}{path}") for path in body["links"]), body["price_usd"])
            pictures = (base64.b64decode(text, validate=True) for text in body["images"])
            return Done(tuple(Output(data, "image/png") for data in pictures), body["price_usd"])
        case "failed":
            return Rejected(ProviderError(ErrorClass.UNAVAILABLE, "the generation failed", "failed"))
        case "canceled":
            return Rejected(ProviderError(ErrorClass.UNAVAILABLE, "the generation was canceled", "canceled"))
        case other:
            raise ValueError(f"generation status {other!r}")


def offer(folder: Path, url: str) -> dict[str, str]:
    """The environment in which processes have this provider and its model; `folder` receives what it names."""
    package = folder / "safelight_stand_in-1.dist-info"
    package.mkdir(parents=True, exist_ok=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: safelight-stand-in\nVersion: 1\n")
    entry = f"stand-in = {StandInProvider.__module__}:{StandInProvider.__qualname__}"
    (package / "entry_points.txt").write_text(f"[safelight.providers]\n{entry}\n")
    catalog = folder / "stand-in.toml"
    catalog.write_text(CATALOG)
    before = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    paths = os.pathsep.join(os.path.abspath(path) for path in [str(folder), *before])
    return {URL_SETTING: url, "SAFELIGHT_CATALOG": str(catalog), "PYTHONPATH": paths}
