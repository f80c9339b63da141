"""A stand-in for Hugging Face's inference router and the little of its Hub that clients ask, for tests.

    python -m safelight.testing.stand_in_huggingface --port 0 --journal FILE

Set SAFELIGHT_HUGGINGFACE_BASE_URL to the address that it prints; the official client takes
`InferenceClient(model=f"{url}/hf-inference/models/OWNER/NAME")`. What the words of a prompt do stands in
`paid_stand_in`. It is not Hugging Face: every model makes tiny grey pictures.
"""

from __future__ import annotations

import asyncio
import sys
import zlib
from typing import Any, ClassVar

from safelight.testing.mishaps import ESTIMATED_S, RETRY_AFTER_S, Mishap, Where
from safelight.testing.paid_stand_in import PaidStandIn, Work
from safelight.testing.pictures import tiny_png
from safelight.testing.serving import main
from safelight.testing.tiny_http import Outcome, Reply, Request

INFERENCE = "/hf-inference/models/"

STATUSES = {
    Mishap.BAD_KEY: 401,
    Mishap.NO_MONEY: 402,
    Mishap.BUSY: 429,
    Mishap.BUSY_WITHOUT_HEADER: 429,
    Mishap.LOADING: 503,
    Mishap.OVERLOADED: 503,
    Mishap.INVALID: 422,
    Mishap.CONTENT_REJECTED: 400,
    Mishap.RETIRED: 410,
}


class StandInHuggingFace(PaidStandIn):
    """Answers with the picture, `seconds` after it was asked."""

    words: ClassVar = {
        Mishap.BAD_KEY: "Invalid credentials in Authorization header: {key}",
        Mishap.NO_MONEY: "You have exceeded your monthly included credits for Inference Providers.",
        Mishap.BUSY: "Rate limit reached. Please log in or use a HF access token",
        Mishap.BUSY_WITHOUT_HEADER: "Too many requests",
        Mishap.LOADING: "Model black-forest-labs/FLUX.1-dev is currently loading",
        Mishap.OVERLOADED: "Service Unavailable",
        Mishap.INVALID: "num_inference_steps must be between 1 and 50",
        Mishap.CONTENT_REJECTED: "NSFW content detected",
        Mishap.RETIRED: "The requested model is deprecated and no longer supported by provider hf-inference.",
    }

    def key_of(self, request: Request) -> str:
        return request.headers.get("authorization", "").removeprefix("Bearer ")

    def refusal(self, mishap: Mishap, request: Request) -> Reply:
        body: dict[str, Any] = {"error": self.said(mishap, request)}
        if mishap is Mishap.LOADING:
            body["estimated_time"] = ESTIMATED_S
        headers = {"RateLimit": f'"api";r=0;t={RETRY_AFTER_S}'} if mishap is Mishap.BUSY else {}
        return Reply(STATUSES[mishap], body, headers)

    async def route(self, request: Request) -> Outcome:
        if request.method == "POST" and request.path.startswith(INFERENCE):
            return await self._generate(request, request.path.removeprefix(INFERENCE))
        if request.path == "/api/whoami-v2":
            return self.tell(Where.PROBE, request, lambda: Reply(200, {"type": "user", "name": "stand-in"}))
        if request.path.startswith("/api/models/"):
            model = request.path.removeprefix("/api/models/")
            known = {"_id": "0", "id": model, "modelId": model, "pipeline_tag": "text-to-image", "tags": []}
            return self.tell(Where.PROBE, request, lambda: Reply(200, known))
        return Reply(404, {"error": "Not Found"})

    async def _generate(self, request: Request, model: str) -> Outcome:
        parameters = request.body.get("parameters") or {}
        prompt = str(parameters.get("prompt") or request.body.get("inputs", ""))
        takes_s: list[float] = []

        def made(work: Work) -> Reply:
            takes_s.append(work.seconds)
            return _picture(work)

        outcome = await self.sell(request, prompt, 1, made, model=model)
        await asyncio.sleep(sum(takes_s))
        return outcome


def _picture(work: Work) -> Reply:
    parameters = work.body.get("parameters") or {}
    shade = zlib.crc32(f"{work.prompt} {parameters.get('seed', work.id)}".encode())
    return Reply(200, tiny_png(shade), {"Content-Type": "image/png"})


if __name__ == "__main__":
    sys.exit(main(StandInHuggingFace, "safelight.testing.stand_in_huggingface", __doc__))
