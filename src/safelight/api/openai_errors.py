"""Errors as clients of OpenAI know them: `{"error": {"message", "type", "param", "code"}}`, for all below /v1.

The official clients repeat a request by themselves after 408, 409, 429 and 5xx, unless `x-should-retry` says no: that
is said wherever there is a job already, and where a repeat could not help.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from fastapi.responses import JSONResponse

from safelight.domain import errors
from safelight.domain.errors import ContentRejected, InvalidParams, InvalidRequest, SafelightError

PARAMS: Final = {
    "width": "size",
    "height": "size",
    "format": "output_format",
    "inputs": "image",
}
"""Their names for ours."""


class Told(NamedTuple):
    """How one kind of error is told."""

    status: int
    type: str
    code: str


_BAD: Final = "invalid_request_error"
_OURS: Final = "server_error"
TOLD: Final[Mapping[str, Told]] = {
    errors.InvalidParams.code: Told(400, _BAD, "invalid_value"),
    errors.ContentRejected.code: Told(400, _BAD, "content_policy_violation"),
    errors.UnknownModel.code: Told(404, _BAD, "model_not_found"),
    errors.ModelRetired.code: Told(404, _BAD, "model_not_found"),
    errors.ModelUnavailable.code: Told(404, _BAD, "model_not_found"),
    errors.InsufficientCredits.code: Told(429, "insufficient_quota", "insufficient_quota"),
    errors.IdempotencyMismatch.code: Told(400, _BAD, errors.IdempotencyMismatch.code),
    errors.Unauthorized.code: Told(401, _BAD, "invalid_api_key"),
    errors.Forbidden.code: Told(403, _BAD, "insufficient_permissions"),
    errors.RateLimited.code: Told(429, "rate_limit_exceeded", "rate_limit_exceeded"),
}
"""Of requests, by our code; what is not here keeps its status and code."""
OF_JOBS: Final[Mapping[str, Told]] = {
    "invalid_request": Told(400, _BAD, "invalid_value"),
    "content_rejected": Told(400, _BAD, "content_policy_violation"),
    "model_retired": Told(404, _BAD, "model_not_found"),
    "canceled": Told(409, _BAD, "canceled"),
    "deadline_exceeded": Told(504, _OURS, "deadline_exceeded"),
    "unauthorized": Told(502, _OURS, "provider_unauthorized"),
    "out_of_credit": Told(502, _OURS, "provider_out_of_credit"),
    "spend_ceiling": Told(503, _OURS, "spend_ceiling"),
    "rate_limited": Told(503, _OURS, "provider_rate_limited"),
    "retries_exhausted": Told(502, _OURS, "retries_exhausted"),
    "provider_unknown": Told(502, _OURS, "provider_unknown"),
    "storage_failed": Told(500, _OURS, "storage_failed"),
}
"""Of jobs that failed, by the code of their error; any other is ours."""
NO_RETRY: Final = {"x-should-retry": "false"}
ERROR_SCHEMA: Final = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                **{name: {"type": "string"} for name in ("message", "type")},
                **{name: {"type": ["string", "null"]} for name in ("param", "code")},
                "job_id": {"type": "string"},
            },
        }
    },
}
DOCUMENTED: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"description": "A problem with the request", "content": {"application/json": {"schema": ERROR_SCHEMA}}},
    "5XX": {"description": "A problem of the server", "content": {"application/json": {"schema": ERROR_SCHEMA}}},
}


def answer(error: SafelightError, status: int, _request_id: str | None) -> JSONResponse:
    """The answer to a request that was refused. One that names a job came after it was made."""
    told = TOLD.get(error.code, Told(status, _OURS if status >= 500 else _BAD, error.code))
    if status in (405, 413):
        told = told._replace(status=status)
    final = "job_id" in error.evidence or told.code == "insufficient_quota"
    body = told_body(told, sentences(error), _param(error), error.evidence.get("job_id"))
    return JSONResponse(body, told.status, NO_RETRY if final else None)


def of_job(job: Mapping[str, Any]) -> JSONResponse:
    """The answer where a job ended without what was asked for. `job` is its body."""
    told = told_of(job)
    return JSONResponse(body_of_job(job), told.status, NO_RETRY)


def told_of(job: Mapping[str, Any]) -> Told:
    return OF_JOBS.get(_code_of(job), Told(500, _OURS, _code_of(job)))


def body_of_job(job: Mapping[str, Any]) -> dict[str, Any]:
    """The same without what only HTTP has: what a stream says in the middle."""
    error = job["error"] or {"message": "The job was canceled.", "remedy": "Ask for it again if you need it."}
    return told_body(told_of(job), f"{error['message']} {error['remedy']}", None, job["id"])


def told_body(told: Told, message: str, param: str | None, job_id: str | None) -> dict[str, Any]:
    error = {"message": message.removeprefix("params."), "type": told.type, "param": param, "code": told.code}
    return {"error": error if job_id is None else {**error, "job_id": job_id}}


def sentences(error: SafelightError) -> str:
    """What happened, and what to do."""
    return f"{error.what.rstrip('.')}. {error.remedy}"


def _code_of(job: Mapping[str, Any]) -> str:
    return str(job["error"]["code"]) if job["error"] else "canceled"


def _param(error: SafelightError) -> str | None:
    """The first field that is wrong, by the name that it has at this door."""
    if error.code == errors.UnknownModel.code:
        return "model"
    if not isinstance(error, InvalidParams | InvalidRequest | ContentRejected) or not error.errors:
        return None
    path = next(iter(error.errors)).removeprefix("params.")
    name = path.partition("[")[0]
    return PARAMS.get(name, path) or None
