"""Errors as clients of tasks and their channel know them: `{"success": false, "error": {"code", "message"}}`."""

from __future__ import annotations

from typing import Any, Final

from fastapi.responses import JSONResponse

from safelight.domain import errors
from safelight.domain.errors import ContentRejected, InvalidParams, InvalidRequest, SafelightError

CODES: Final = {
    errors.InvalidRequest.code: "VALIDATION_ERROR",
    errors.InvalidParams.code: "VALIDATION_ERROR",
    errors.Gone.code: "NOT_FOUND",
}
"""Where their word is another than ours in capitals (`UNKNOWN_MODEL`, `INSUFFICIENT_CREDITS`, `RATE_LIMITED` ...)."""


def answer(error: SafelightError, status: int, request_id: str | None) -> JSONResponse:
    """The answer of a call."""
    return JSONResponse({**refused(error), "request_id": request_id}, status)


def refused(error: SafelightError) -> dict[str, Any]:
    """The same without what only HTTP has: what the channel pushes."""
    told: dict[str, Any] = {"code": code_of(error.code), "message": error.what, "remedy": str(error.remedy)}
    if isinstance(error, InvalidParams | InvalidRequest | ContentRejected) and error.errors:
        told["errors"] = error.errors
    return {"success": False, "error": told}


def code_of(code: str) -> str:
    """Their word for one of our codes, of a request or of a job."""
    return CODES.get(code, code.upper())
