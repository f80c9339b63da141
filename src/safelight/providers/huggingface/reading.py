"""What Hugging Face's answers mean. Pure, so tests feed it answers written from its documentation."""

from __future__ import annotations

import re
from typing import Any

import httpx

from safelight.domain.outcomes import Done, ErrorClass, Output
from safelight.providers.probing import json_in
from safelight.providers.refusals import Refusal, request_id_of
from safelight.storage.sniffing import sniffed_picture

_RESETS_IN = re.compile(r"\bt=(\d+)")
_SENSITIVE = re.compile(r"NSFW|safety|moderat|content policy|flagged", re.IGNORECASE)
_NOT_SERVED = re.compile(r"not supported|deprecated|no longer", re.IGNORECASE)
LONGEST_TOLD_S = 1e9
"""Longer, or none of the numbers, is nonsense; JSON may have any."""
OLD_HOST = "api-inference.huggingface.co"


def read_picture(answer: httpx.Response, seed: int | None = None) -> Done:
    """A good answer is the file itself. Raises ValueError for anything else: it may have been made and be lost."""
    mime = sniffed_picture(answer.content)
    if mime is None:
        kind = answer.headers.get("content-type", "an unnamed type")
        raise ValueError(f"Hugging Face answered {answer.status_code} with {kind} in place of a picture")
    said = {} if seed is None else {"seed": seed}
    return Done((Output(answer.content, mime, metadata=said),), request_id=request_id_of(answer.headers))


def read_refusal(answer: httpx.Response) -> Refusal:
    """`{"error": …, "estimated_time"?}`: a text, a list of texts, or an object with a `message`."""
    found = json_in(answer)
    body: dict[str, Any] = found if isinstance(found, dict) else {}
    message = _words(body.get("error") or body.get("message"))
    estimated_s = _seconds(body.get("estimated_time"))
    return Refusal(
        message,
        answer.headers.get("x-error-code"),
        _class(answer, message, loading=estimated_s is not None),
        estimated_s if estimated_s is not None else _resets_in_s(answer),
    )


def _class(answer: httpx.Response, message: str, *, loading: bool) -> ErrorClass | None:
    match answer.status_code:
        case 503 if loading or "loading" in message.lower():
            return ErrorClass.COLD_START
        case 400 | 422 if _SENSITIVE.search(message):
            return ErrorClass.CONTENT_REJECTED
        case 400 if _NOT_SERVED.search(message):
            return ErrorClass.MODEL_RETIRED
        case 410 if OLD_HOST in message:  # not the model is gone, but the address that was configured
            return ErrorClass.INVALID_REQUEST
    return None


def _words(error: Any) -> str:
    match error:
        case list():
            return " ".join(map(_words, error))
        case dict():
            return _words(error.get("message") or error.get("error"))
        case None:
            return ""
    return str(error).strip()


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value < LONGEST_TOLD_S else None


def _resets_in_s(answer: httpx.Response) -> float | None:
    """`RateLimit: "api";r=0;t=55`: seconds until there is room again."""
    found = _RESETS_IN.search(answer.headers.get("ratelimit", "")) if answer.status_code == 429 else None
    return float(found[1]) if found else None
