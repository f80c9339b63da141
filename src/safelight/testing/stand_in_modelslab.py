"""A stand-in for ModelsLab's v7 and v6 image interfaces, for tests. It makes tiny grey pictures.

    python -m safelight.testing.stand_in_modelslab --port 0 --journal FILE

Set SAFELIGHT_MODELSLAB_BASE_URL to the address that it prints. What the words of a prompt do stands in `paid_stand_in`.
It is written from ModelsLab's documentation alone: there is no official client that could drive it.
"""

from __future__ import annotations

import asyncio
import re
import sys
import zlib
from contextlib import suppress
from typing import Any, ClassVar

import httpx

from safelight.testing.mishaps import RETRY_AFTER_S, Mishap, Where
from safelight.testing.paid_stand_in import PaidStandIn, Work
from safelight.testing.pictures import tiny_png
from safelight.testing.serving import main
from safelight.testing.tiny_http import Outcome, Reply, Request

CREATE = re.compile(r"/api/(v7/images/text-to-image|v6/images/text2img)")
FETCH = re.compile(r"/api/(v\d)/images/fetch/(\w+)")
OUTPUT = re.compile(r"/generations/(\d+)-(\d+)\.png")
FIRST_ID = 104_000_000
STATUSES = {Mishap.BUSY: 429, Mishap.OVERLOADED: 503, Mishap.NO_MONEY: 402}
"""All other refusals are HTTP 200, as its older interfaces answer."""
MISSPELT = frozenset({Mishap.BAD_KEY, Mishap.INVALID, Mishap.FAILS})


class StandInModelsLab(PaidStandIn):
    """Accepts, answers `processing` with links that do not work yet, and is asked for the rest."""

    words: ClassVar = {
        Mishap.BAD_KEY: "Invalid API key: {key}",
        Mishap.NO_MONEY: "Insufficient credits. Please add credits to continue.",
        Mishap.BUSY: "Rate limit exceeded",
        Mishap.BUSY_WITHOUT_HEADER: "Too many requests, rate limit reached",
        Mishap.LOADING: "The model is loading, it takes a moment",
        Mishap.OVERLOADED: "Server is busy, try again in a moment",
        Mishap.INVALID: "The width field must not be greater than 1024.",
        Mishap.CONTENT_REJECTED: "NSFW content detected in the prompt",
        Mishap.RETIRED: "Model sd-1.4 is deprecated and no longer available",
        Mishap.FAILS: "Failed to generate: CUDA out of memory",
        Mishap.TIMES_OUT: "Request timed out while generating",
        Mishap.NEW_STATUS: "contemplating",
        Mishap.EXPIRED: "",
    }
    first_id = FIRST_ID

    def key_of(self, request: Request) -> str:
        return str(request.body.get("key", ""))

    def refusal(self, mishap: Mishap, request: Request) -> Reply:
        name = "messege" if mishap in MISSPELT else "message"
        headers = {"Retry-After": str(RETRY_AFTER_S)} if mishap is Mishap.BUSY else {}
        body = {"status": "error", name: self.said(mishap, request), "tip": "", "output": []}
        return Reply(STATUSES.get(mishap, 200), body, headers)

    def new_remote_id(self, n: int) -> str:
        return str(self.first_id + n)

    def announcement(self, remote_id: str) -> dict[str, Any]:
        return self._as_json(self.works[remote_id.rpartition("/")[2]])

    async def route(self, request: Request) -> Outcome:
        if request.method == "GET" and (output := OUTPUT.fullmatch(request.path)):
            return self._file(output[1], int(output[2]))
        if request.method != "POST":
            return Reply(405, {"status": "error", "message": "Method not allowed"})
        if created := CREATE.fullmatch(request.path):
            return await self._create(request, created[1][:2])
        if fetched := FETCH.fullmatch(request.path):
            return self.tell(Where.POLL, request, lambda: self._fetched(fetched[2]))
        if request.path == "/api/v3/system_load":
            return self.tell(Where.PROBE, request, lambda: Reply(200, {"queue_num": 0, "queue_time": 0}))
        return Reply(404, {"status": "error", "message": "Not found"})

    async def _create(self, request: Request, version: str) -> Outcome:
        given = request.body
        count = int(given.get("samples") or 1)
        return await self.sell(
            request,
            str(given.get("prompt", "")),
            count,
            lambda work: Reply(200, self._begun(work, version)),
            model=str(given.get("model_id", "")),
            call_id=str(given.get("track_id", "")).partition("~")[0],
        )

    def _begun(self, work: Work, version: str) -> dict[str, Any]:
        if url := work.body.get("webhook"):
            self.later(self._announce(work, str(url)))
        number = int(work.id)
        return {
            "status": "processing",
            "tip": "Your image is processing in background, you can get this image using fetch API",
            "eta": max(1, round(work.seconds)),
            "fetch_result": f"{self.url}/api/{version}/images/fetch/{number}",
            "id": number,
            "output": [],
            "future_links": self._links(work),
            "track_id": work.body.get("track_id"),
        }

    async def _announce(self, work: Work, url: str) -> None:
        await asyncio.sleep(work.seconds)
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            with suppress(httpx.HTTPError):
                await client.post(url, json=self.announcement(work.id))

    def _fetched(self, number: str) -> Reply:
        work = self.works.get(number)
        return Reply(200, self._as_json(work) if work else {"status": "failed", "message": "Request not found"})

    def _as_json(self, work: Work) -> dict[str, Any]:
        named = {"id": int(work.id), "track_id": work.body.get("track_id")}
        if not work.is_over:
            return {"status": "processing", "messege": "Try again", "output": [], **named}
        match work.mishap:
            case Mishap.FAILS | Mishap.TIMES_OUT:
                return {"status": "failed", "messege": self.words[work.mishap], "output": [], **named}
            case Mishap.NEW_STATUS:
                return {"status": self.words[Mishap.NEW_STATUS], "output": [], **named}
            case Mishap.EXPIRED:
                return {"status": "success", "output": [], **named}
        return {"status": "success", "output": self._links(work), "meta": {"seed": 7}, **named}

    def _links(self, work: Work) -> list[str]:
        return [f"{self.url}/generations/{work.id}-{n}.png" for n in range(work.count)]

    def _file(self, number: str, n: int) -> Reply:
        work = self.works.get(number)
        if work is None or n >= work.count or not work.is_over:
            return Reply(404, {"error": "not found"})
        return Reply(200, tiny_png(zlib.crc32(number.encode()) + n), {"Content-Type": "image/png"})


if __name__ == "__main__":
    sys.exit(main(StandInModelsLab, "safelight.testing.stand_in_modelslab", __doc__))
