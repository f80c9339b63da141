"""A stand-in for Anthropic's Messages API, for tests: messages, streamed and not, and the list of models.

    python -m safelight.testing.stand_in_anthropic --port 0 --journal FILE

Set SAFELIGHT_ANTHROPIC_BASE_URL to the address that it prints. What the words of a prompt do stands in `paid_stand_in`.
"""

from __future__ import annotations

import json
import sys
from typing import Any, ClassVar

from safelight.testing.mishaps import RETRY_AFTER_S, Mishap, Where
from safelight.testing.paid_stand_in import PaidStandIn, Work
from safelight.testing.serving import main
from safelight.testing.tales import streamed, tale, tokens_of
from safelight.testing.tiny_http import Outcome, Reply, Request

REFUSES = {
    Mishap.BAD_KEY: (401, "authentication_error"),
    Mishap.NO_MONEY: (400, "invalid_request_error"),
    Mishap.BUSY: (429, "rate_limit_error"),
    Mishap.BUSY_WITHOUT_HEADER: (429, "rate_limit_error"),
    Mishap.OVERLOADED: (529, "overloaded_error"),
    Mishap.INVALID: (400, "invalid_request_error"),
    Mishap.CONTENT_REJECTED: (400, "invalid_request_error"),
    Mishap.RETIRED: (404, "not_found_error"),
}


class StandInAnthropic(PaidStandIn):
    """Any model writes the same tale."""

    request_id_header = "request-id"
    words: ClassVar = {
        Mishap.BAD_KEY: "invalid x-api-key {key}",
        Mishap.NO_MONEY: "Your credit balance is too low to access the Anthropic API.",
        Mishap.BUSY: "This request would exceed your organization's rate limit.",
        Mishap.BUSY_WITHOUT_HEADER: "This request would exceed your organization's rate limit.",
        Mishap.OVERLOADED: "Overloaded",
        Mishap.INVALID: "max_tokens: 999999 > 64000, which is the maximum allowed number of output tokens",
        Mishap.CONTENT_REJECTED: "Output blocked by content filtering policy",
        Mishap.RETIRED: "model: claude-sonnet-4-20250514",
        Mishap.FAILS: "Overloaded in the middle of it",
        Mishap.NEW_STATUS: "boredom",
    }

    def key_of(self, request: Request) -> str:
        return request.headers.get("x-api-key", "")

    def refusal(self, mishap: Mishap, request: Request) -> Reply:
        status, kind = REFUSES[mishap]
        headers = {"retry-after": str(RETRY_AFTER_S)} if mishap is Mishap.BUSY else {}
        return Reply(status, _error(kind, self.said(mishap, request)), headers)

    async def route(self, request: Request) -> Outcome:
        match request.method, request.path:
            case "GET", "/v1/models":
                return self.tell(Where.PROBE, request, lambda: Reply(200, {"data": [], "has_more": False}))
            case "GET", path if path.startswith("/v1/models/"):
                name = path.removeprefix("/v1/models/")
                return self.tell_model(request, name, Reply(200, {"type": "model", "id": name}))
            case "POST", "/v1/messages":
                if "anthropic-version" not in request.headers or "max_tokens" not in request.body:
                    return Reply(400, _error("invalid_request_error", "anthropic-version and max_tokens are required"))
                prompt = _said_by(request.body.get("messages") or [])
                return await self.sell(request, prompt, 1, self._message, model=str(request.body.get("model", "")))
        return Reply(404, _error("not_found_error", "Not Found"))

    def _message(self, work: Work) -> Reply:
        text = tale(work.prompt)
        if not work.body.get("stream"):
            whole = {"content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "stop_sequence": None}
            usage = {"input_tokens": 9, "output_tokens": len(tokens_of(text))}
            return Reply(200, {"id": work.id, "type": "message", "role": "assistant", **whole, "usage": usage})
        return streamed(self._events(work, text), work.seconds)

    def _events(self, work: Work, text: str) -> list[bytes]:
        tokens = tokens_of(text)
        usage = {"input_tokens": 9, "cache_read_input_tokens": 0, "output_tokens": 1}
        message = {"id": work.id, "type": "message", "role": "assistant", "model": work.model, "content": []}
        begun = [
            _event("message_start", message={**message, "stop_reason": None, "usage": usage}),
            _event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
            _event("ping"),
        ]
        told = [_event("content_block_delta", index=0, delta={"type": "text_delta", "text": each}) for each in tokens]
        if work.mishap is Mishap.FAILS:
            broken = {"type": "overloaded_error", "message": self.words[Mishap.FAILS]}
            return [*begun, *told[: len(told) // 2], _event("error", error=broken)]
        reason = self.words[Mishap.NEW_STATUS] if work.mishap is Mishap.NEW_STATUS else "end_turn"
        over = {"stop_reason": reason, "stop_sequence": None}
        written = {"output_tokens": len(tokens)}
        ends = [
            _event("content_block_stop", index=0),
            _event("message_delta", delta=over, usage=written),
            _event("message_stop"),
        ]
        return [*begun, *told, *ends]


def _event(name: str, **fields: Any) -> bytes:
    data = json.dumps({"type": name, **fields}, ensure_ascii=False)
    return f"event: {name}\ndata: {data}\n\n".encode()


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_stand_in"}


def _said_by(messages: list[dict[str, Any]]) -> str:
    content = messages[-1].get("content", "") if messages else ""
    if isinstance(content, str):
        return content
    return " ".join(str(block.get("text", "")) for block in content if block.get("type") == "text")


if __name__ == "__main__":
    sys.exit(main(StandInAnthropic, "safelight.testing.stand_in_anthropic", __doc__))
