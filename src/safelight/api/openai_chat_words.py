"""A text in the words of OpenAI's chat completions, whole and in pieces. Pure, from the job's body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from safelight.catalog.rates import estimated_tokens

CUT_SHORT: Final = "cut_short"
DONE: Final = "data: [DONE]\n\n"


class Head(NamedTuple):
    """What every piece of one answer begins with. `created` in whole seconds."""

    job_id: str
    model: str
    created: int

    def of(self, kind: str) -> dict[str, Any]:
        return {"id": f"chatcmpl-{self.job_id}", "object": kind, "created": self.created, "model": self.model}


def completion(head: Head, job: Mapping[str, Any]) -> dict[str, Any]:
    """The whole answer."""
    message = {"role": "assistant", "content": job["text"] or "", "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason(job)}
    return {**head.of("chat.completion"), "choices": [choice], "usage": usage(job)}


def chunk(head: Head, delta: Mapping[str, Any], reason: str | None, *, tells_usage: bool) -> dict[str, Any]:
    """One piece. With usage asked for, every piece has the field, and only the last a value in it."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
    told = {**head.of("chat.completion.chunk"), "choices": [choice]}
    return {**told, "usage": None} if tells_usage else told


def usage_chunk(head: Head, job: Mapping[str, Any]) -> dict[str, Any]:
    """The piece after the last: no choice, only what was used."""
    return {**head.of("chat.completion.chunk"), "choices": [], "usage": usage(job)}


def usage(job: Mapping[str, Any]) -> dict[str, int]:
    """Estimated at four bytes to a token: what the provider counted is kept as money, not as tokens."""
    tokens = estimated_tokens(job["prompt"] or "", job["text"] or "")
    return {
        "prompt_tokens": tokens.input,
        "completion_tokens": tokens.output,
        "total_tokens": tokens.input + tokens.output,
    }


def finish_reason(job: Mapping[str, Any]) -> str:
    return "length" if any(each["code"] == CUT_SHORT for each in job["warnings"]) else "stop"


def event(told: Mapping[str, Any]) -> str:
    """As a stream sends it."""
    return f"data: {json.dumps(told, ensure_ascii=False, separators=(',', ':'))}\n\n"
