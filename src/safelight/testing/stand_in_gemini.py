"""A stand-in for Google's Gemini API, for tests: streamed generations and the list of models.

    python -m safelight.testing.stand_in_gemini --port 0 --journal FILE

Set SAFELIGHT_GEMINI_BASE_URL to the address that it prints. What the words of a prompt do stands in `paid_stand_in`.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any, ClassVar

from safelight.testing.mishaps import RETRY_AFTER_S, Mishap, Where
from safelight.testing.paid_stand_in import PaidStandIn, Work
from safelight.testing.serving import main
from safelight.testing.tales import streamed, tale, tokens_of
from safelight.testing.tiny_http import Outcome, Reply, Request

REFUSES = {
    Mishap.BAD_KEY: (400, "INVALID_ARGUMENT"),
    Mishap.NO_MONEY: (429, "RESOURCE_EXHAUSTED"),
    Mishap.BUSY: (429, "RESOURCE_EXHAUSTED"),
    Mishap.BUSY_WITHOUT_HEADER: (429, "RESOURCE_EXHAUSTED"),
    Mishap.OVERLOADED: (503, "UNAVAILABLE"),
    Mishap.INVALID: (400, "INVALID_ARGUMENT"),
    Mishap.RETIRED: (404, "NOT_FOUND"),
}
_GENERATE = re.compile(r"/v1beta/models/([^/:]+):streamGenerateContent")


class StandInGemini(PaidStandIn):
    """Any model writes the same tale. What the rules do not allow is refused in an answer of success, as by Google."""

    words: ClassVar = {
        Mishap.BAD_KEY: "API key not valid: {key}. Please pass a valid API key.",
        Mishap.NO_MONEY: "Your prepayment credits are depleted. Please go to AI Studio to manage your billing.",
        Mishap.BUSY: "You exceeded your current quota. Please retry in 7s.",
        Mishap.BUSY_WITHOUT_HEADER: "Resource has been exhausted (e.g. check quota).",
        Mishap.OVERLOADED: "The model is overloaded. Please try again later.",
        Mishap.INVALID: "Unable to submit request because it has a maxOutputTokens value of 999999.",
        Mishap.RETIRED: "models/gemini-1.0-pro is not found for API version v1beta.",
        Mishap.CONTENT_REJECTED: "PROHIBITED_CONTENT",
        Mishap.FAILS: "An internal error has occurred. Please retry.",
        Mishap.NEW_STATUS: "BOREDOM",
    }

    def key_of(self, request: Request) -> str:
        return request.headers.get("x-goog-api-key", "")

    def refuses_later(self, mishap: Mishap) -> bool:
        return mishap is Mishap.CONTENT_REJECTED

    def refusal(self, mishap: Mishap, request: Request) -> Reply:
        status, name = REFUSES[mishap]
        details: list[dict[str, Any]] = []
        if mishap is Mishap.BAD_KEY:
            details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]
        if mishap is Mishap.BUSY:
            details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{RETRY_AFTER_S}s"}]
        return Reply(status, _error(status, self.said(mishap, request), name, details))

    async def route(self, request: Request) -> Outcome:
        if request.method == "GET" and request.path == "/v1beta/models":
            return self.tell(Where.PROBE, request, lambda: Reply(200, {"models": []}))
        if request.method == "GET" and request.path.startswith("/v1beta/models/"):
            name = request.path.removeprefix("/v1beta/models/")
            return self.tell_model(request, name, Reply(200, {"name": f"models/{name}"}))
        if request.method == "POST" and (found := _GENERATE.fullmatch(request.path)):
            prompt = _said_by(request.body.get("contents") or [])
            return await self.sell(request, prompt, 1, self._streamed, model=found[1])
        return Reply(404, _error(404, "Not found.", "NOT_FOUND", []))

    def _streamed(self, work: Work) -> Reply:
        return streamed([_event(chunk) for chunk in self._chunks(work, tale(work.prompt))], work.seconds)

    def _chunks(self, work: Work, text: str) -> list[dict[str, Any]]:
        tokens = tokens_of(text)
        head = {"responseId": work.id, "modelVersion": work.model}
        usage = {"promptTokenCount": 9, "candidatesTokenCount": len(tokens), "thoughtsTokenCount": 5}
        if work.mishap is Mishap.CONTENT_REJECTED:
            return [{**head, "promptFeedback": {"blockReason": self.words[Mishap.CONTENT_REJECTED]}}]
        told = [{**head, "candidates": [_candidate(each)]} for each in tokens]
        if work.mishap is Mishap.FAILS:
            return [*told[: len(told) // 2], _error(500, self.words[Mishap.FAILS], "INTERNAL", [])]
        reason = self.words[Mishap.NEW_STATUS] if work.mishap is Mishap.NEW_STATUS else "STOP"
        thought = {**head, "candidates": [_candidate("Let me think.", thought=True)]}
        last = {**head, "candidates": [{**_candidate(""), "finishReason": reason}], "usageMetadata": usage}
        return [thought, *told, last]


def _candidate(text: str, **more: Any) -> dict[str, Any]:
    return {"index": 0, "content": {"role": "model", "parts": [{"text": text, **more}]}}


def _event(chunk: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\r\n\r\n".encode()


def _error(code: int, message: str, status: str, details: list[dict[str, Any]]) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": details}}


def _said_by(contents: list[dict[str, Any]]) -> str:
    parts = contents[-1].get("parts", []) if contents else []
    return " ".join(str(part["text"]) for part in parts if "text" in part)


if __name__ == "__main__":
    sys.exit(main(StandInGemini, "safelight.testing.stand_in_gemini", __doc__))
