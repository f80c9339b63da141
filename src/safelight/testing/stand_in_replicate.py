"""A stand-in for Replicate's HTTP API, for tests: predictions, files, account. It makes tiny pictures and films.

    python -m safelight.testing.stand_in_replicate --port 0 --journal FILE

Set SAFELIGHT_REPLICATE_BASE_URL (or the official client's REPLICATE_BASE_URL) to the address that it prints.
What the words of a prompt do stands in `paid_stand_in`. It is not Replicate: it knows no models and checks no inputs.
"""

from __future__ import annotations

import asyncio
import re
import sys
import zlib
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx

from safelight.testing.films import tiny_mp4
from safelight.testing.mishaps import RETRY_AFTER_S, Mishap, Where
from safelight.testing.paid_stand_in import PaidStandIn, Work
from safelight.testing.pictures import tiny_png
from safelight.testing.serving import main
from safelight.testing.stand_in_journal import Journal
from safelight.testing.tiny_http import Outcome, Reply, Request

_MODEL = re.compile(r"/v1/models/([^/]+/[^/]+)(/predictions)?")
_PREDICTION = re.compile(r"/v1/predictions/([\w-]+)(/cancel)?")
_OUTPUT = re.compile(r"/files/([\w-]+)/(\d+)\.\w+")
ONE_FILE = ("imagen", "flux-1.1", "seedance", "real-esrgan", "recraft")
"""Models whose output is one address and not a list of them."""
WAITS_AT_MOST_S = 60.0
CALL_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")

ACCOUNT = {"type": "user", "username": "stand-in", "name": "Stand-in", "github_url": None}
STATUSES = {
    Mishap.BAD_KEY: (401, "Unauthenticated"),
    Mishap.NO_MONEY: (402, "Insufficient credit"),
    Mishap.BUSY: (429, "Too many requests"),
    Mishap.BUSY_WITHOUT_HEADER: (429, "Too many requests"),
    Mishap.OVERLOADED: (503, "Service unavailable"),
    Mishap.INVALID: (422, "Input validation failed"),
    Mishap.RETIRED: (404, "Not found"),
}


class StandInReplicate(PaidStandIn):
    """Predictions by model and by version, and their files until `forget_files`."""

    words: ClassVar = {
        Mishap.BAD_KEY: "You did not pass a valid authentication token: {key}",
        Mishap.NO_MONEY: "You have insufficient credit to run this model.",
        Mishap.BUSY: f"Request was throttled. Your rate limit resets in ~{RETRY_AFTER_S}s.",
        Mishap.BUSY_WITHOUT_HEADER: "Request was throttled. Your rate limit resets in ~30s.",
        Mishap.LOADING: "",
        Mishap.OVERLOADED: "Service is temporarily unavailable.",
        Mishap.INVALID: "- input: prompt is required\n",
        Mishap.RETIRED: "The requested resource could not be found.",
        Mishap.CONTENT_REJECTED: "The input or output was flagged as sensitive. (E005)",
        Mishap.FAILS: "Model ran out of memory and was terminated (E1001)",
        Mishap.TIMES_OUT: "The prediction did not start in time (E6716)",
        Mishap.NEW_STATUS: "contemplating",
        Mishap.EXPIRED: "",
    }

    def __init__(self, *, key: str | None = None, journal: Journal | None = None) -> None:
        super().__init__(key=key, journal=journal)
        self.uploads: dict[str, bytes] = {}
        self._gone: set[str] = set()

    def forget_files(self, remote_id: str) -> None:
        """As Replicate does an hour after a run."""
        self._gone.add(remote_id)

    def key_of(self, request: Request) -> str:
        return request.headers.get("authorization", "").removeprefix("Bearer ").removeprefix("Token ")

    def refuses_later(self, mishap: Mishap) -> bool:
        """It refuses nothing while a machine starts: for as long as it would be made, the prediction is `starting`."""
        return mishap in (Mishap.CONTENT_REJECTED, Mishap.LOADING)

    def refusal(self, mishap: Mishap, request: Request) -> Reply:
        status, title = STATUSES[mishap]
        headers = {"Retry-After": str(RETRY_AFTER_S)} if mishap is Mishap.BUSY else {}
        return Reply(status, {"title": title, "detail": self.said(mishap, request), "status": status}, headers)

    async def route(self, request: Request) -> Outcome:
        path = request.path
        if request.method == "POST":
            return await self._posted(request)
        if path == "/v1/account":
            return self.tell(Where.PROBE, request, lambda: Reply(200, ACCOUNT))
        if path == "/v1/predictions":
            return self.tell(Where.POLL, request, self._list)
        if (prediction := _PREDICTION.fullmatch(path)) and not prediction[2]:
            remote_id = prediction[1]
            return self.tell(Where.POLL, request, lambda: self._prediction(remote_id))
        if model := _MODEL.fullmatch(path):
            owner, _, name = model[1].partition("/")
            return self.tell_model(request, model[1], Reply(200, {"owner": owner, "name": name}))
        if output := _OUTPUT.fullmatch(path):
            return await self._file(output[1], int(output[2]))
        return _not_found()

    async def _posted(self, request: Request) -> Outcome:
        if (prediction := _PREDICTION.fullmatch(request.path)) and prediction[2]:
            remote_id = prediction[1]
            return self.tell(Where.POLL, request, lambda: self._cancel(remote_id))
        if request.path == "/v1/files":
            return self.tell(Where.POLL, request, lambda: self._upload(request))
        by_model = _MODEL.fullmatch(request.path)
        if not (request.path == "/v1/predictions" or (by_model and by_model[2])):
            return _not_found()
        model = by_model[1] if by_model else str(request.body.get("version", ""))
        outcome = await self._create(request, model)
        if isinstance(outcome, Reply) and outcome.status == 201 and not outcome.cut:
            return await self._waited(request, outcome)
        return outcome

    async def _create(self, request: Request, model: str) -> Outcome:
        given = request.body.get("input", {})
        named = CALL_ID.search(str(request.body.get("webhook", "")))
        count = int(given.get("num_outputs") or given.get("max_images") or 1)
        return await self.sell(
            request,
            str(given.get("prompt", "")),
            count,
            lambda work: Reply(201, self._begun(work)),
            model=model,
            call_id=named[0] if named else "",
        )

    def _begun(self, work: Work) -> dict[str, Any]:
        """A new prediction; whoever it calls is called when it is over."""
        if url := work.body.get("webhook"):
            self.later(self._announce(work, str(url)))
        return {**self._as_json(work), "status": "starting", "output": None, "logs": ""}

    async def _waited(self, request: Request, reply: Reply) -> Reply:
        """`Prefer: wait` holds the answer until the prediction is over, for a minute at most."""
        work = self.works[reply.body["id"]]
        prefer = request.headers.get("prefer", "")
        if prefer.startswith("wait"):
            limit_s = float(prefer.partition("=")[2] or WAITS_AT_MOST_S)
            await asyncio.sleep(min(limit_s, max(0.0, work.seconds)))
            return Reply(201, self._as_json(work)) if work.is_over else reply
        return reply

    def announcement(self, remote_id: str) -> dict[str, Any]:
        return self._as_json(self.works[remote_id])

    async def _announce(self, work: Work, url: str) -> None:
        await asyncio.sleep(work.seconds)
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            with suppress(httpx.HTTPError):
                await client.post(url, json=self.announcement(work.id))

    def _prediction(self, remote_id: str) -> Reply:
        work = self.works.get(remote_id)
        return Reply(200, self._as_json(work)) if work else _not_found()

    def _list(self) -> Reply:
        newest = [self._as_json(work) for work in reversed(self.works.values())]
        return Reply(200, {"previous": None, "next": None, "results": newest[:100]})

    def _cancel(self, remote_id: str) -> Reply:
        if remote_id not in self.works:
            return _not_found()
        work = self.works[remote_id]
        work.canceled = work.canceled or not work.is_over
        return Reply(200, self._as_json(work))

    def _upload(self, request: Request) -> Reply:
        name = f"file-{len(self.uploads) + 1:06}"
        self.uploads[name] = request.content
        stored = {"id": name, "name": name, "content_type": "application/octet-stream", "size": len(request.content)}
        times = {"created_at": _now(), "expires_at": None}
        rest = {"etag": name, "checksums": {}, "metadata": {}, "urls": {"get": f"{self.url}/v1/files/{name}"}}
        return Reply(201, {**stored, **times, **rest})

    async def _file(self, remote_id: str, n: int) -> Reply:
        work = self.works.get(remote_id)
        if work is None or n >= work.count or remote_id in self._gone:
            return _not_found()
        await asyncio.sleep(work.fetch_s)
        if _is_film(work):
            return Reply(200, tiny_mp4(), {"Content-Type": "video/mp4"})
        return Reply(200, tiny_png(zlib.crc32(remote_id.encode()) + n), {"Content-Type": "image/png"})

    def _as_json(self, work: Work) -> dict[str, Any]:
        status, error = self._state(work)
        gone = work.id in self._gone or (work.mishap is Mishap.EXPIRED and status == "succeeded")
        root = f"{self.url}/v1/predictions/{work.id}"
        return {
            "id": work.id,
            "model": work.model,
            "version": "hidden",
            "input": {} if gone else work.body.get("input", {}),
            "output": None if gone or status != "succeeded" else self._output(work),
            "logs": _logs(work),
            "error": error,
            "status": status,
            "data_removed": gone,
            "created_at": _now(),
            "metrics": {"predict_time": work.seconds},
            "urls": {"get": root, "cancel": f"{root}/cancel"},
            **({"webhook": work.body["webhook"]} if "webhook" in work.body else {}),
        }

    def _state(self, work: Work) -> tuple[str, str | None]:
        if work.canceled:
            return "canceled", None
        if not work.is_over:
            return "starting" if work.mishap is Mishap.LOADING else "processing", None
        match work.mishap:
            case Mishap.NEW_STATUS:
                return self.words[work.mishap], None
            case Mishap.FAILS | Mishap.TIMES_OUT | Mishap.CONTENT_REJECTED:
                return "failed", self.words[work.mishap]
        return "succeeded", None

    def _output(self, work: Work) -> str | list[str]:
        kind = "mp4" if _is_film(work) else "png"
        urls = [f"{self.url}/files/{work.id}/{n}.{kind}" for n in range(work.count)]
        one = work.count == 1 and any(name in work.model for name in ONE_FILE)
        return urls[0] if one else urls


def _is_film(work: Work) -> bool:
    return "duration" in work.body.get("input", {}) or "seedance" in work.model


def _logs(work: Work) -> str:
    """As a diffusion model's progress bar writes them."""
    done = 100 if work.is_over else int(100 * work.age_s / work.seconds)
    begun = "Using seed: 7\n  0%|          | 0/100 [00:00<?, ?it/s]\n"
    return f"{begun} {done}%|████▌     | {done}/100 [00:02<00:02, 8.1it/s]\n"


def _not_found() -> Reply:
    return Reply(404, {"detail": "The requested resource could not be found.", "status": 404})


def _now() -> str:
    return datetime.now(UTC).isoformat()


if __name__ == "__main__":
    sys.exit(main(StandInReplicate, "safelight.testing.stand_in_replicate", __doc__))
