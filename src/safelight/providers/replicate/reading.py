"""What Replicate's answers mean. Pure, so tests feed it bodies written from its documentation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx

from safelight.domain.outcomes import Done, ErrorClass, Pending, ProviderError, Rejected, RemoteFile, RemoteState
from safelight.providers.probing import json_in
from safelight.providers.refusals import Refusal

_PERCENT = re.compile(r"(\d{1,3})%\s*\|")
_CODE = re.compile(r"\b(E\d{3,5})\b")
_RESETS_IN = re.compile(r"resets in ~?(\d+(?:\.\d+)?)\s*s")
_SENSITIVE = re.compile(r"flagged as sensitive|NSFW|safety|moderat|content policy", re.IGNORECASE)

OF_CODE = {
    "E003": ErrorClass.UNAVAILABLE,  # high demand
    "E004": ErrorClass.UNAVAILABLE,
    "E005": ErrorClass.CONTENT_REJECTED,
    "E1000": ErrorClass.UNAVAILABLE,  # not categorised: "try again"
    "E6716": ErrorClass.TIMEOUT,  # it did not start in time
}
"""Those after which a later try may do better, and content. All others, as E1001 (out of memory: "reduce the size of
your input"), would fail again and be charged again."""
EXPIRED = "Replicate has deleted the files: it keeps them for one hour after the run."


def read_prediction(prediction: Mapping[str, Any]) -> RemoteState:
    """Translate a prediction object. A status that no documentation knows is an error with its name in it."""
    remote_id = str(prediction["id"])
    match prediction["status"]:
        case "starting" | "queued":  # it waits for a machine, which may have to be started and to load the model
            return Pending(remote_id, is_queued=True)
        case "processing":
            return Pending(remote_id, percent_in(prediction.get("logs")))
        case "succeeded":
            return _delivered(prediction, remote_id)
        case "failed":
            return Rejected(_failure(str(prediction.get("error") or "The prediction failed."), remote_id))
        case "canceled":  # by us, by its owner, or by `Cancel-After` while it ran: that is charged
            return _rejected(ErrorClass.UNAVAILABLE, "The prediction was canceled at Replicate.", "canceled", remote_id)
        case "aborted":  # its time was over before it started, not charged: a later try may find a machine
            return _rejected(ErrorClass.UNAVAILABLE, "Replicate gave up before the run started.", "aborted", remote_id)
        case other:
            text = f"Replicate reports a status that Safelight does not know: {other!r}."
            return _rejected(ErrorClass.PROTOCOL, text, "unknown_status", remote_id)


def read_created(prediction: Mapping[str, Any]) -> RemoteState:
    """The answer to a creation: accepted under a name, whatever else it says. What became of it is asked for.

    A rejection here would say that the prediction was never accepted; it may be charged.
    """
    state = read_prediction(prediction)
    return Pending(str(prediction["id"])) if isinstance(state, Rejected) else state


def read_refusal(answer: httpx.Response) -> Refusal:
    """`{"title", "detail", "status"}`, RFC 7807; the wait of a 429 stands in its text where the header is missing."""
    found = json_in(answer)
    body: dict[str, Any] = found if isinstance(found, dict) else {}
    message = str(body.get("detail") or body.get("title") or body.get("error") or "").strip()
    resets = _RESETS_IN.search(message)
    sensitive = answer.status_code in (400, 422) and _SENSITIVE.search(message)
    return Refusal(
        message,
        code=_code_in(message),
        error_class=ErrorClass.CONTENT_REJECTED if sensitive else None,
        retry_after_s=float(resets[1]) if resets else None,
    )


def percent_in(logs: str | None) -> float | None:
    """The last percentage of a progress bar in the logs, as 0..1."""
    found = _PERCENT.findall(logs or "")
    return min(1.0, int(found[-1]) / 100) if found else None


def _delivered(prediction: Mapping[str, Any], remote_id: str) -> RemoteState:
    output = prediction.get("output")
    urls = [output] if isinstance(output, str) else output if isinstance(output, list) else []
    files = tuple(RemoteFile(url) for url in urls if isinstance(url, str) and url.startswith(("https:", "http:")))
    if files and len(files) == len(urls):
        return Done(files, usage=_usage(prediction), request_id=remote_id)
    if prediction.get("data_removed"):
        return _rejected(ErrorClass.PROTOCOL, EXPIRED, "expired", remote_id)
    text = f"Replicate reports success, but delivered {_kind_of(output)} in place of files."
    return _rejected(ErrorClass.PROTOCOL, text, "no_files", remote_id)


def _failure(words: str, remote_id: str) -> ProviderError:
    code = _code_in(words)
    error_class = OF_CODE.get(code or "")
    if error_class is None:
        error_class = ErrorClass.CONTENT_REJECTED if _SENSITIVE.search(words) else ErrorClass.INVALID_REQUEST
    return ProviderError(error_class, words, code or "failed", request_id=remote_id)


def _rejected(error_class: ErrorClass, words: str, code: str, remote_id: str) -> Rejected:
    return Rejected(ProviderError(error_class, words, code, request_id=remote_id))


def _code_in(words: str) -> str | None:
    found = _CODE.search(words)
    return found[1] if found else None


def _usage(prediction: Mapping[str, Any]) -> dict[str, Any]:
    metrics = prediction.get("metrics")
    return dict(metrics) if isinstance(metrics, dict) else {}


def _kind_of(output: Any) -> str:
    return "nothing" if output is None else type(output).__name__
