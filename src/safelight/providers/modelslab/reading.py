"""What ModelsLab's answers mean: most are HTTP 200, and the truth stands in `status`. Pure, for tests.

A terminal error ends the wait at once, in its own words, which stand in `message` or in `messege`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from safelight.domain.outcomes import Done, ErrorClass, Pending, ProviderError, Rejected, RemoteFile, RemoteState
from safelight.providers.answers import CLASSES
from safelight.providers.forbidding import forbidden
from safelight.providers.modelslab.naming import fetch_path, remote_id

_WORDS = (
    (ErrorClass.UNAUTHORIZED, re.compile(r"api key|unauthori[sz]ed|invalid key", re.IGNORECASE)),
    (ErrorClass.OUT_OF_CREDIT, re.compile(r"credit|balance|subscri|out of funds|wallet", re.IGNORECASE)),
    (ErrorClass.RATE_LIMITED, re.compile(r"rate limit|too many requests|limit exceeded|slow down", re.IGNORECASE)),
    (ErrorClass.CONTENT_REJECTED, re.compile(r"nsfw|moderat|policy|sensitive|prohibited|unsafe", re.IGNORECASE)),
    (
        ErrorClass.MODEL_RETIRED,
        re.compile(r"model\b.*\b(not found|not exist|deprecated|no longer|disabled|retired)", re.IGNORECASE),
    ),
    (ErrorClass.COLD_START, re.compile(r"model is (being )?load|loading the model|warming", re.IGNORECASE)),
    (ErrorClass.TIMEOUT, re.compile(r"timed? ?out|took too long", re.IGNORECASE)),
    (ErrorClass.UNAVAILABLE, re.compile(r"try again|overload|high traffic|server is busy", re.IGNORECASE)),
)
"""Its errors have no codes: what it says is all there is. The first that fits."""


def read_generation(body: Mapping[str, Any], version: str, *, named: str | None = None) -> RemoteState:
    """Translate an answer to a creation or to a question. `named` is the remote id if it is known already."""
    name = named or (remote_id(body["id"], version) if "id" in body else None)
    match body["status"]:
        case "success":
            return _delivered(body, name)
        case "processing" | "queued":
            if name is None:
                raise KeyError("id")
            return Pending(name, is_queued=body["status"] == "queued")
        case "error" | "failed":
            return Rejected(_failure(body, name))
        case other:
            text = f"ModelsLab reports a status that Safelight does not know: {other!r}."
            return Rejected(ProviderError(ErrorClass.PROTOCOL, text, "unknown_status", request_id=name))


def read_created(body: Mapping[str, Any], version: str) -> RemoteState:
    """The answer to a creation: accepted if it has a name, whatever else it says. What became of it is asked for."""
    state = read_generation(body, version)
    name = remote_id(body.get("id"), version)
    return Pending(name) if isinstance(state, Rejected) and body.get("id") and fetch_path(name) else state


def words_of(body: Mapping[str, Any]) -> str:
    """`message`, or `messege` as some of its answers spell it: a text, or lists of texts by field. And its tip."""
    said = body.get("message") or body.get("messege") or body.get("error")
    return " ".join(filter(None, [_text(said), _text(body.get("tip"))]))


def class_of(words: str, status: int = 200) -> ErrorClass:
    """By the HTTP status where that says something, else by the words; what is in neither cannot get better."""
    found = next((error_class for error_class, pattern in _WORDS if pattern.search(words)), None)
    if status in (200, 403):  # 403 is also a plan that lacks something
        return found or (ErrorClass.INVALID_REQUEST if status == 200 else forbidden(words))
    if status in (400, 422, 503) and found is not None:
        return found
    return CLASSES.get(status, ErrorClass.INVALID_REQUEST)


def _delivered(body: Mapping[str, Any], name: str | None) -> RemoteState:
    output = body.get("output")
    urls = [output] if isinstance(output, str) else output if isinstance(output, list) else []
    named = [url for url in urls if isinstance(url, str) and url.startswith(("https:", "http:"))]
    if not named or len(named) < len(urls):
        text = words_of(body) or "ModelsLab reports success, but the files are not there (any more)."
        return Rejected(ProviderError(ErrorClass.PROTOCOL, text, "no_files", request_id=name))
    meta = body.get("meta")
    seed = meta.get("seed") if isinstance(meta, dict) else None
    said = {"seed": seed} if type(seed) is int else {}
    return Done(tuple(RemoteFile(url, metadata=said, may_come_later=True) for url in named), request_id=name)


def _failure(body: Mapping[str, Any], name: str | None) -> ProviderError:
    words = words_of(body)
    return ProviderError(class_of(words), words or "The generation failed.", str(body["status"]), request_id=name)


def _text(said: Any) -> str:
    match said:
        case dict():
            return " ".join(f"{field}: {_text(value)}" for field, value in said.items())
        case list():
            return " ".join(map(_text, said))
        case None:
            return ""
    return str(said).strip()
