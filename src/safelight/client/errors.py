"""What a call can fail with: an answer that refuses, or none at all. Both say what happened and one thing to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

LONGEST_RETRY_AFTER_S = 300.0


class ClientError(Exception):
    """The server refused, or answered something that is not Safelight's.

    `code` is one of the contract's codes, `errors` maps each wrong field to what is wrong with it, and `problem` is
    the whole problem document, for the members that only some codes have (`supported`, `did_you_mean`).
    """

    def __init__(
        self,
        detail: str,
        *,
        code: str,
        remedy: str,
        status: int | None = None,
        errors: Mapping[str, list[str]] | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        self.remedy = remedy
        self.status = status
        self.errors: dict[str, list[str]] = dict(errors or {})
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.problem: dict[str, Any] = dict(problem or {})


class ServerUnreachable(ClientError):
    """Nobody answered: not listening, cut in the middle, or too late. What was asked may or may not have happened."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"No answer from {url}: {reason}.",
            code="unreachable",
            remedy="Start the server (safelight serve), or correct SAFELIGHT_URL.",
        )
        self.url = url


def unreachable(error: httpx.TransportError) -> ServerUnreachable:
    """Name the server and the reason. httpx leaves the text of some errors empty, and time-outs always."""
    url = error.request.url
    address = f"{url.scheme}://{url.netloc.decode('ascii')}"
    match error:
        case httpx.ConnectError() | httpx.ConnectTimeout():
            return ServerUnreachable(address, "the connection was not accepted")
        case httpx.TimeoutException():
            return ServerUnreachable(address, "it took too long")
        case _:
            return ServerUnreachable(address, str(error) or type(error).__name__)


def refused(response: httpx.Response) -> ClientError:
    """Translate an answer that is not a success. The body must have been read."""
    problem = _problem(response)
    if problem is None:
        return not_safelight(response)
    return ClientError(
        str(problem.get("detail") or problem.get("title") or f"The server answered {response.status_code}."),
        code=str(problem["code"]),
        remedy=str(problem.get("remedy") or "See the server's log."),
        status=response.status_code,
        errors=_field_errors(problem.get("errors")),
        request_id=problem.get("request_id") or response.headers.get("X-Request-ID"),
        retry_after_s=_retry_after_s(response),
        problem=problem,
    )


def not_safelight(response: httpx.Response) -> ClientError:
    """The answer is not one that Safelight gives: another program, or something between us and it."""
    return ClientError(
        f"{response.request.url.copy_with(query=None)} answered {response.status_code} {response.reason_phrase}, "
        "not in Safelight's form.",
        code="not_safelight",
        remedy="Check the address: is it a Safelight server, and is there a proxy in between?",
        status=response.status_code,
        request_id=response.headers.get("X-Request-ID"),
        retry_after_s=_retry_after_s(response),
    )


def _problem(response: httpx.Response) -> dict[str, Any] | None:
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) and "code" in body else None


def _field_errors(errors: Any) -> dict[str, list[str]]:
    if not isinstance(errors, dict):
        return {}
    return {str(path): [str(text) for text in texts] for path, texts in errors.items() if isinstance(texts, list)}


def _retry_after_s(response: httpx.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return min(float(text), LONGEST_RETRY_AFTER_S) if text.isdecimal() else None
