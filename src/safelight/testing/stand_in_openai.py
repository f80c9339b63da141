"""A stand-in for OpenAI's HTTP API, for tests: pictures, edits, chat completions (streamed and not), models.

    python -m safelight.testing.stand_in_openai --port 0 --journal FILE

Set SAFELIGHT_OPENAI_BASE_URL (or the official client's OPENAI_BASE_URL) to the address that it prints and `/v1`.
What the words of a prompt do stands in `paid_stand_in`; `words=40` makes a text longer. It is not OpenAI: it knows any
model, draws tiny grey pictures, and its words are no model's.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import zlib
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, ClassVar

from safelight.testing.mishaps import RETRY_AFTER_S, Mishap, Where
from safelight.testing.paid_stand_in import PaidStandIn, Work
from safelight.testing.pictures import tiny_png
from safelight.testing.serving import main
from safelight.testing.stand_in_journal import Journal
from safelight.testing.tales import streamed, tale, tokens_of
from safelight.testing.tiny_http import Outcome, Reply, Request

REFUSES = {
    Mishap.BAD_KEY: (401, "invalid_api_key", "invalid_request_error"),
    Mishap.NO_MONEY: (429, "insufficient_quota", "insufficient_quota"),
    Mishap.BUSY: (429, "rate_limit_exceeded", "requests"),
    Mishap.BUSY_WITHOUT_HEADER: (429, "rate_limit_exceeded", "requests"),
    Mishap.OVERLOADED: (503, "server_overloaded", "server_error"),
    Mishap.INVALID: (400, "invalid_value", "invalid_request_error"),
    Mishap.CONTENT_REJECTED: (400, "moderation_blocked", "image_generation_user_error"),
    Mishap.RETIRED: (404, "model_not_found", "invalid_request_error"),
}
_BOUNDARY = re.compile(r"multipart/form-data")


class StandInOpenAI(PaidStandIn):
    """`edits` has the files of each edit, by field name, in order."""

    words: ClassVar = {
        Mishap.BAD_KEY: "Incorrect API key provided: {key}. You can find your API key in your account.",
        Mishap.NO_MONEY: "You exceeded your current quota, please check your plan and billing details.",
        Mishap.BUSY: "Rate limit reached for requests.",
        Mishap.BUSY_WITHOUT_HEADER: "Rate limit reached for requests. Please try again in 1m2.5s.",
        Mishap.OVERLOADED: "The engine is currently overloaded, please try again later.",
        Mishap.INVALID: "Invalid size '7x7'. Width and height must be divisible by 16.",
        Mishap.CONTENT_REJECTED: "Your request was rejected by the safety system.",
        Mishap.RETIRED: "The model `dall-e-3` has been deprecated.",
        Mishap.FAILS: "The server had an error while processing your request.",
        Mishap.NEW_STATUS: "boredom",
    }

    def __init__(self, *, key: str | None = None, journal: Journal | None = None) -> None:
        super().__init__(key=key, journal=journal)
        self.edits: list[list[tuple[str, str, bytes]]] = []

    def key_of(self, request: Request) -> str:
        return request.headers.get("authorization", "").removeprefix("Bearer ")

    def refusal(self, mishap: Mishap, request: Request) -> Reply:
        status, code, kind = REFUSES[mishap]
        error = {"message": self.said(mishap, request), "type": kind, "param": None, "code": code}
        return Reply(status, {"error": error}, {"retry-after": str(RETRY_AFTER_S)} if mishap is Mishap.BUSY else {})

    async def route(self, request: Request) -> Outcome:
        body = request.body
        match request.method, request.path:
            case "GET", "/v1/models":
                return self.tell(Where.PROBE, request, lambda: Reply(200, {"object": "list", "data": []}))
            case "GET", path if path.startswith("/v1/models/"):
                name = path.removeprefix("/v1/models/")
                return self.tell_model(
                    request, name, Reply(200, {"id": name, "object": "model", "shutdown_date": None})
                )
            case "POST", "/v1/images/generations":
                given = {**body, "prompt": str(body.get("prompt", ""))}
                return await self._sell_pictures(request, given)
            case "POST", "/v1/images/edits":
                return await self._edit(request)
            case "POST", "/v1/chat/completions":
                prompt = _said_by(body.get("messages") or [])
                return await self.sell(
                    request, prompt, 1, lambda work: _completion(self, work), model=str(body.get("model", ""))
                )
        return Reply(404, {"error": {"message": "Invalid URL", "type": "invalid_request_error", "code": None}})

    async def _edit(self, request: Request) -> Outcome:
        fields = parts_of(request)
        form = {name: data.decode() for name, filename, data in fields if not filename}
        self.edits.append([field for field in fields if field[1]])
        if not any(name in ("image", "image[]") for name, filename, _ in fields if filename):
            return Reply(400, {"error": {"message": "Missing required parameter: 'image'.", "code": "missing"}})
        return await self._sell_pictures(request, form)

    async def _sell_pictures(self, request: Request, given: dict[str, Any]) -> Outcome:
        count = int(given.get("n") or 1)
        return await self.sell(request, given["prompt"], count, _pictures, model=str(given.get("model", "")))


def parts_of(request: Request) -> list[tuple[str, str, bytes]]:
    """Name, file name (empty for a plain field) and bytes of each part of a multipart body."""
    kind = request.headers.get("content-type", "")
    if not _BOUNDARY.match(kind):
        return []
    message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + request.content)
    parts: list[Any] = list(message.iter_parts())
    return [
        (
            str(part.get_param("name", header="content-disposition")),
            part.get_filename() or "",
            part.get_payload(decode=True),
        )
        for part in parts
    ]


def _pictures(work: Work) -> Reply:
    shades = [(zlib.crc32(work.id.encode()) + n) % 256 for n in range(work.count)]
    data = [{"b64_json": base64.b64encode(tiny_png(shade)).decode()} for shade in shades]
    usage = {"input_tokens": 12, "output_tokens": 272 * work.count, "total_tokens": 12 + 272 * work.count}
    return Reply(200, {"created": 1, "data": data, "output_format": "png", "size": "1024x1024", "usage": usage})


def _completion(stand_in: StandInOpenAI, work: Work) -> Reply:
    tokens = tokens_of(tale(work.prompt))
    most = int(work.body.get("max_completion_tokens") or work.body.get("max_tokens") or len(tokens))
    text, reason = "".join(tokens[:most]), "length" if most < len(tokens) else "stop"
    written = min(most, len(tokens))
    usage = {"prompt_tokens": 9, "completion_tokens": written, "total_tokens": 9 + written}
    head = {"id": f"chatcmpl-{work.id}", "created": 1, "model": work.model}
    if not work.body.get("stream"):
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": reason}
        return Reply(200, {**head, "object": "chat.completion", "choices": [choice], "usage": usage})
    return streamed(_chunks(stand_in, work, head, text, reason, usage), work.seconds)


def _chunks(
    stand_in: StandInOpenAI, work: Work, head: dict[str, Any], text: str, reason: str, usage: dict[str, int]
) -> list[bytes]:
    tokens = tokens_of(text)
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": each} for each in tokens)]
    chunks = [{**head, "object": "chat.completion.chunk", "choices": [_choice(delta)]} for delta in deltas]
    events = [_event(chunk) for chunk in chunks]
    match work.mishap:
        case Mishap.FAILS:
            error = {"message": stand_in.words[Mishap.FAILS], "type": "server_error", "code": None}
            return [*events[: len(events) // 2], _event({"error": error})]
        case Mishap.NEW_STATUS:
            reason = stand_in.words[Mishap.NEW_STATUS]
    last = _event({**head, "object": "chat.completion.chunk", "choices": [_choice({}, reason)]})
    with_usage = _event({**head, "object": "chat.completion.chunk", "choices": [], "usage": usage})
    wants_usage = (work.body.get("stream_options") or {}).get("include_usage")
    return [b": keep-alive\r\n\r\n", *events, last, *([with_usage] if wants_usage else []), b"data: [DONE]\n\n"]


def _choice(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": reason}


def _event(chunk: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode()


def _said_by(messages: list[dict[str, Any]]) -> str:
    content = messages[-1].get("content", "") if messages else ""
    if isinstance(content, str):
        return content
    return " ".join(str(part.get("text", "")) for part in content if part.get("type") == "text")


if __name__ == "__main__":
    sys.exit(main(StandInOpenAI, "safelight.testing.stand_in_openai", __doc__))
