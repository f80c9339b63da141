"""From an HTTP answer that brings nothing to an error, in the provider's own words and without its key.

What the provider's words say goes before what the status means; where neither proves that the request was not
accepted there is no error to return: then `refused` raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from safelight.domain.outcomes import ErrorClass, ProviderError, Rejected
from safelight.providers.answers import CLASSES, TOOK_NOTHING_ON, believed_s, retry_after_s
from safelight.providers.forbidding import forbidden
from safelight.providers.keys import without_key
from safelight.providers.protocol import AskLater

REQUEST_ID_HEADERS = ("x-request-id", "request-id", "x-amzn-trace-id", "cf-ray")
ASK_LATER = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a provider's reader found in a refusal's body."""

    message: str
    code: str | None = None
    error_class: ErrorClass | None = None
    """Where the words say more than the status."""
    retry_after_s: float | None = None
    """Where the words say it: a header goes before."""


def refusal_in(answer: httpx.Response, read_error: Callable[[Mapping[str, Any]], Refusal]) -> Refusal:
    """The error in an answer that is no success, as `read_error` reads its object; whatever text it has without JSON.

    The object may stand alone in a list, as Google answers where a stream was asked for.
    """
    try:
        body = answer.json()
    except ValueError:
        return Refusal(answer.text.strip()[:500])
    if isinstance(body, list) and body:
        body = body[0]
    return read_error(body if isinstance(body, dict) else {})


def refused(answer: httpx.Response, said: Refusal, key: str | None) -> Rejected:
    """The answer to a paid POST as a rejection. Raises httpx.HTTPStatusError where its status proves nothing."""
    error_class = said.error_class or _by_status(answer.status_code, said.message)
    if error_class is None or (answer.status_code >= 500 and answer.status_code not in TOOK_NOTHING_ON):
        words = without_key(said.message, key)
        raise httpx.HTTPStatusError(
            f"it answered {answer.status_code} {words}".strip(), request=answer.request, response=answer
        )
    wait_s = retry_after_s(answer.headers)
    return Rejected(
        ProviderError(
            error_class,
            without_key(said.message, key) or f"The provider answered {answer.status_code}.",
            said.code or str(answer.status_code),
            believed_s(said.retry_after_s) if wait_s is None else wait_s,
            request_id_of(answer.headers),
        )
    )


def _by_status(status: int, words: str) -> ErrorClass | None:
    return forbidden(words) if status == 403 else CLASSES.get(status)


def told(answer: httpx.Response) -> dict[str, Any]:
    """The JSON object that answers a poll. If there is none, it raises: AskLater, httpx.HTTPStatusError, ValueError."""
    if answer.status_code in ASK_LATER:
        raise AskLater(f"the provider answered {answer.status_code}", retry_after_s(answer.headers))
    body = answer.raise_for_status().json()
    if not isinstance(body, dict):
        raise ValueError(f"the provider answered with {type(body).__name__} in place of an object")
    return body


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """The provider's own name for the request."""
    return next((headers[name] for name in REQUEST_ID_HEADERS if name in headers), None)
