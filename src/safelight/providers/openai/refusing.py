"""What OpenAI's errors mean: `{"error": {"code", "message", "param", "type"}}`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx

from safelight.domain.outcomes import ErrorClass
from safelight.providers.refusals import Refusal, refusal_in
from safelight.providers.streaming import part

OF_CODE = {
    "moderation_blocked": ErrorClass.CONTENT_REJECTED,
    "content_policy_violation": ErrorClass.CONTENT_REJECTED,
    "content_filter": ErrorClass.CONTENT_REJECTED,
    "model_not_found": ErrorClass.MODEL_RETIRED,
    "insufficient_quota": ErrorClass.OUT_OF_CREDIT,
    "billing_hard_limit_reached": ErrorClass.OUT_OF_CREDIT,
    "billing_not_active": ErrorClass.OUT_OF_CREDIT,
    "invalid_api_key": ErrorClass.UNAUTHORIZED,
    "rate_limit_exceeded": ErrorClass.RATE_LIMITED,
    "server_error": ErrorClass.UNAVAILABLE,
    "server_overloaded": ErrorClass.UNAVAILABLE,
}
_TRY_AGAIN_IN = re.compile(r"try again in (?:(\d+)m)?(\d+(?:\.\d+)?)(ms|s)\b")


def read_refusal(answer: httpx.Response) -> Refusal:
    """The error in an answer that is no success; in a status without JSON, whatever text it has."""
    return refusal_in(answer, read_error)


def read_error(body: Mapping[str, Any]) -> Refusal:
    """The error in an object, be it an answer or an event of a stream. Other servers send a bare text for it."""
    if isinstance(body.get("error"), str):
        return Refusal(body["error"])
    error = part(body, "error")
    message, code = str(error.get("message") or ""), error.get("code") or error.get("type")
    error_class = OF_CODE.get(str(error.get("code"))) or OF_CODE.get(str(error.get("type")))
    return Refusal(message, None if code is None else str(code), error_class, _wait_s(message))


def _wait_s(message: str) -> float | None:
    """`Please try again in 1m2.5s` or `in 820ms`, where no header says it."""
    found = _TRY_AGAIN_IN.search(message)
    if found is None:
        return None
    return float(found[1] or 0) * 60 + float(found[2]) / (1000 if found[3] == "ms" else 1)
