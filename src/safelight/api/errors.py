"""From errors to answers: a status each, in the form of the door. Ours is `application/problem+json` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.requests import HTTPConnection
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope
from starlette.websockets import WebSocket, WebSocketState

from safelight.api.error_forms import form_for
from safelight.domain import errors
from safelight.domain.errors import ContentRejected, InvalidParams, InvalidRequest, NotFound, Remedy, SafelightError

log = structlog.get_logger(__name__)

STATUS: Final[Mapping[type[SafelightError], int]] = {
    errors.InvalidRequest: 400,
    errors.InvalidParams: 422,
    errors.ContentRejected: 422,
    errors.UnknownModel: 422,
    errors.ModelRetired: 422,
    errors.ModelUnavailable: 422,
    errors.InsufficientCredits: 402,
    errors.IdempotencyMismatch: 422,
    errors.ReferenceMismatch: 422,
    errors.NotFound: 404,
    errors.Gone: 410,
    errors.Conflict: 409,
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    errors.TooLarge: 413,
    errors.RateLimited: 429,
    errors.Unavailable: 503,
    errors.InMaintenance: 503,
    errors.InternalError: 500,
    errors.NotMigrated: 503,
    errors.WorkerTooOld: 503,
    errors.BadSettings: 500,
    errors.BadCatalog: 500,
    errors.StorageFailed: 503,
    errors.BadBackup: 500,
}

MOST_ERRORS: Final = 20
SHOWN_EVIDENCE: Final = frozenset(
    {"supported", "did_you_mean", "kind_of_nearest", "successor", "shutdown_date"}
    | {"account", "price", "available", "missing", "captured", "refunded", "left", "balance", "held"}
)
"""Evidence that helps the caller. The rest (paths, free disk) is for the log."""


PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "remedy", "request_id"],
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "detail", "remedy")},
        "code": {"type": "string", "description": f"One of: {', '.join(sorted({e.code for e in STATUS}))}."},
        "status": {"type": "integer"},
        "request_id": {"type": ["string", "null"]},
        "errors": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
    },
}
_PROBLEM_CONTENT: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
DOCUMENTED: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"description": "A problem with the request", "content": _PROBLEM_CONTENT},
    "5XX": {"description": "A problem of the server", "content": _PROBLEM_CONTENT},
}
"""What every route may answer beside its own answers."""


class MethodNotAllowed(errors.CallerError):
    """The address exists, but not for this method."""

    code, title = "invalid_request", "Method not allowed"


METHODS: Final = ("DELETE", "GET", "PATCH", "POST", "PUT")


def install(app: FastAPI) -> None:
    """Every error that can leave a route becomes a problem."""
    app.add_exception_handler(SafelightError, _on_safelight_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)


def refusal(scope: Scope, error: SafelightError, *, status: int | None = None) -> Response:
    """The answer for an error, as the door that was knocked at tells it. Unavailable ones say when to try again."""
    code = status or STATUS[type(error)]
    answer = (form_for(scope) or _problem)(error, code, scope.get("safelight.request_id"))
    if code == 503:
        answer.headers["Retry-After"] = "5"
    if "retry_after_s" in error.evidence:
        answer.headers["Retry-After"] = str(error.evidence["retry_after_s"])
    if code == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _problem(error: SafelightError, status: int, request_id: str | None) -> JSONResponse:
    body: dict[str, Any] = {
        "type": f"urn:safelight:problem:{error.code}",
        "title": error.title,
        "status": status,
        "detail": error.what,
        "code": error.code,
        "remedy": str(error.remedy),
        "request_id": request_id,
    }
    if isinstance(error, InvalidParams | InvalidRequest | ContentRejected) and error.errors:
        body["errors"] = error.errors
    body.update({name: value for name, value in error.evidence.items() if name in SHOWN_EVIDENCE})
    return JSONResponse(body, status, media_type="application/problem+json")


def bug(scope: Scope, error: Exception) -> Response:
    """Not a word about what went wrong inside: that is in the log, under the same request id."""
    log.error("request_crashed", path=scope["path"][:200], exc_info=error)
    failure = errors.InternalError(
        "Safelight failed on this request.",
        remedy=Remedy("Try again; if it happens again, report it with the request id."),
    )
    return refusal(scope, failure)


def request_id_of(request: HTTPConnection) -> str | None:
    found: str | None = request.scope.get("safelight.request_id")
    return found


async def _on_safelight_error(connection: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, SafelightError)  # noqa: S101  # what it is registered for
    status = STATUS[type(error)]
    if isinstance(error, errors.InMaintenance):
        log.info("request_refused", code=error.code, what=error.what)
    elif status >= 500:
        log.error("request_failed", code=error.code, what=error.what, **{"evidence": error.evidence})
    answer = refusal(connection.scope, error)
    if isinstance(connection, WebSocket):
        await _refuse_socket(connection, answer)
    return answer


async def _refuse_socket(socket: WebSocket, answer: Response) -> None:
    """With the same problem, where it was not opened yet; an open one is closed."""
    if socket.application_state is WebSocketState.CONNECTING:
        await socket.send_denial_response(answer)
    elif socket.application_state is WebSocketState.CONNECTED:
        await socket.close(1008)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  # what it is registered for
    return refusal(request.scope, invalid(error.errors()))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  # what it is registered for
    path = request.url.path[:200]
    if error.status_code == 404:
        what = NotFound(f"There is nothing at {path!r}.", remedy=Remedy("See /docs for what there is."))
        return refusal(request.scope, what)
    if error.status_code == 405:
        text = f"{request.method} is not possible at {path!r}."
        refused = MethodNotAllowed(text, remedy=Remedy("See /docs for what there is."))
        answer = refusal(request.scope, refused, status=405)
        answer.headers["Allow"] = ", ".join(_methods_of(request)) or (error.headers or {}).get("Allow", "GET, HEAD")
        return answer
    unread = InvalidRequest(str(error.detail))
    return refusal(request.scope, unread, status=error.status_code)


def _methods_of(request: Request) -> list[str]:
    """What an address takes, over all of its routes; nothing where a mounted application has refused by itself."""
    found = [method for method in METHODS if _takes(request, method)]
    if request.method in found:
        return []
    return sorted({*found, "HEAD"} if "GET" in found else found)


def _takes(request: Request, method: str) -> bool:
    asked = {**request.scope, "method": method}
    return any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)


def invalid(complaints: Sequence[Any]) -> SafelightError:
    """What pydantic has against a request, in our words and with our paths."""
    found: dict[str, list[str]] = {}
    for each in complaints[:MOST_ERRORS]:
        where = _path(part for part in each["loc"] if part not in ("body", "query", "path", "header"))
        if not where and each["loc"][:1] == ("body",):
            return InvalidRequest("The body must be a JSON object, sent as application/json.")
        found.setdefault(where[:200], []).append(_words(each))
    first = next(f"{path}: {texts[0]}" for path, texts in found.items())
    more = f" ({len(found) - 1} more)" if len(found) > 1 else ""
    return InvalidParams(f"{first}{more}", errors=found)


def _path(parts: Iterable[int | str]) -> str:
    """`items[3].prompt`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).removeprefix(".")


def _words(each: Mapping[str, Any]) -> str:
    match each["type"]:
        case "extra_forbidden":
            return "is not a field of this request"
        case "missing":
            return "is required"
        case _:
            text = str(each["msg"])
            return text[:1].lower() + text[1:]
