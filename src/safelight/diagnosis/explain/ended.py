"""Why a job ended as it did: what it was, whose doing, and what can be done about it now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from safelight.diagnosis.explain.cause import NOTHING_TO_DO, Cause, cause
from safelight.diagnosis.explain.job_facts import JobFacts
from safelight.diagnosis.finding import Evidence, Remedy, Severity
from safelight.diagnosis.words import count, span
from safelight.domain.jobs import EventType, Status
from safelight.domain.retry import MAX_LOST

_CODES: Final[Mapping[str, str]] = {
    "content_rejected": "CONTENT_REJECTED",
    "invalid_request": "INVALID_PARAMS",
    "invalid_params": "INVALID_PARAMS",
    "unauthorized": "PROVIDER_UNAUTHORIZED",
    "out_of_credit": "PROVIDER_OUT_OF_CREDIT",
    "spend_ceiling": "SPEND_CEILING",
    "model_retired": "MODEL_RETIRED",
    "retries_exhausted": "RETRIES_EXHAUSTED",
    "deadline_exceeded": "DEADLINE_EXCEEDED",
    "storage_failed": "STORAGE_WRITE_FAILED",
    "provider_unknown": "PROVIDER_UNKNOWN",
    "items_failed": "ITEMS_FAILED",
    "failed_by_operator": "FAILED_BY_OPERATOR",
}
"""By the code of the job's error; whatever else a provider says is PROVIDER_ERROR."""
_OPERATORS: Final[Mapping[str, Remedy]] = {
    "PROVIDER_UNAUTHORIZED": Remedy(
        "Set a valid key, start the processes again, then retry it.", "safelight providers check"
    ),
    "PROVIDER_OUT_OF_CREDIT": Remedy("Fill up the account, then retry it.", "safelight providers check"),
    "SPEND_CEILING": Remedy("Raise the daily ceiling, then retry it.", "safelight providers list"),
    "STORAGE_WRITE_FAILED": Remedy("Mend the storage, then retry it.", "safelight doctor"),
}
_OUT_OF_MEMORY = re.compile(r"out of memory|\bOOM\b|memory exhausted|CUDA error: out", re.IGNORECASE)


def ended(facts: JobFacts) -> list[Cause]:
    """The cause first; a message that never arrived stands beside it."""
    found = _as_it_ended(facts)
    missing = delivery_missing(facts)
    if missing is None:
        return [found]
    return [missing, found] if facts.job.status == Status.COMPLETED else [found, missing]


def _as_it_ended(facts: JobFacts) -> Cause:
    match facts.job.status:
        case Status.COMPLETED:
            return _delivered(facts)
        case Status.CANCELED:
            return _canceled(facts)
        case Status.PARTIAL:
            return _items_failed(facts)
        case _:
            return _items_failed(facts) if facts.job.kind == "batch" else _failed(facts)


def _delivered(facts: JobFacts) -> Cause:
    job = facts.job
    took_s = (job.finished_at or facts.now) - job.start_at
    return cause(
        facts,
        "DELIVERED",
        Severity.INFO,
        f"It was delivered {span(took_s)} after it could start.",
        f"For {count(job.captured, 'credit')}.",
        NOTHING_TO_DO,
        user="It is done.",
        evidence={"took_s": round(took_s, 1), "captured": job.captured, "attempt": job.attempt},
    )


def _canceled(facts: JobFacts) -> Cause:
    about = (EventType.CANCELED, EventType.CANCEL_REQUESTED)
    said = [event.details for event in facts.events if event.type in about]
    by = next((str(details["by"]) for details in said if details.get("by")), "user")
    message = next((f" {details['message']}" for details in said if details.get("message")), "")
    return cause(
        facts,
        "CANCELED_BY",
        Severity.INFO,
        f"It was canceled by its {by}." if by == "user" else f"It was canceled by the {by}.",
        "Somebody asked for it; the credits it held are free again.",
        Remedy("Make it again, if it is still wanted.", f"safelight jobs retry {facts.job.id}"),
        user=f"It was canceled{' by the operator' if by == 'operator' else ''}; it cost nothing.{message}",
        evidence={"by": by},
    )


def _items_failed(facts: JobFacts) -> Cause:
    items = facts.items or {}
    first = facts.item.job.failure.get("message") if facts.item else None
    bad = items.get(Status.FAILED, 0)
    return cause(
        facts,
        "ITEMS_FAILED",
        Severity.WARNING if facts.job.status == Status.PARTIAL else Severity.ERROR,
        f"{bad} of {count(sum(items.values()), 'item')} failed.",
        f"The first because: {first}" if first else "Each of them says why.",
        Remedy("Make those again.", f"safelight jobs retry {facts.job.id}"),
        user=f"{bad} of its {count(sum(items.values()), 'item')} failed; what was not delivered costs nothing.",
        evidence={"by_status": dict(items), "first_failed": facts.item.job.id if facts.item else None},
    )


def _failed(facts: JobFacts) -> Cause:
    job, error = facts.job, facts.job.failure
    code = _code_of(facts)
    message = str(error.get("message") or "No reason was given.")
    mends = str(error.get("remedy") or "Retry it.")
    again = f"safelight jobs retry {job.id}" if error.get("retryable", True) else None
    at = f" at {error['provider']}" if error.get("provider") else ""
    return cause(
        facts,
        code,
        Severity.ERROR,
        f"It failed{at} {_when(job.attempt)}: {message}",
        _why(facts, code),
        _OPERATORS.get(code, Remedy(mends, again)),
        user=f"{message} {mends} It cost nothing.",
        evidence={**_evidence(facts), "provider_message": error.get("provider_message")},
        subject=str(error.get("provider") or job.id),
    )


def _when(attempt: int) -> str:
    return f"after {count(attempt, 'try').replace('trys', 'tries')}" if attempt else "before it was tried"


def _code_of(facts: JobFacts) -> str:
    error = facts.job.failure
    words = " ".join(str(error.get(key) or "") for key in ("provider_code", "provider_message", "message"))
    code = _CODES.get(str(error.get("code")), "PROVIDER_ERROR")
    if code == "DEADLINE_EXCEEDED" and facts.last_return.get("code") == "storage_failed":
        return "STORAGE_WRITE_FAILED"  # it was made, and waited to be stored until its time was over
    if code == "RETRIES_EXHAUSTED" and facts.job.lost_n >= MAX_LOST:
        return "WORKER_DIED"
    if code in ("PROVIDER_ERROR", "RETRIES_EXHAUSTED", "INVALID_PARAMS") and _OUT_OF_MEMORY.search(words):
        return "OUT_OF_MEMORY"
    return code


def _why(facts: JobFacts, code: str) -> str:
    match code:
        case "DEADLINE_EXCEEDED":
            last = facts.last_return.get("reason")
            return f"It spent its time on: {_where_time_went(facts)}." + (f" Its last try: {last}" if last else "")
        case "RETRIES_EXHAUSTED":
            return f"Each try: {'; '.join(_reasons(facts))}."
        case "WORKER_DIED":
            return f"{count(facts.job.lost_n, 'worker')} were lost while running it: most likely it is what kills them."
        case "PROVIDER_UNKNOWN":
            return "The connection was lost before the provider answered; whether it accepted the call was never known."
        case _:
            return _CAUSES.get(code, "These are the provider's own words; another try may do better.")


_CAUSES: Final = {
    "CONTENT_REJECTED": "The provider's rules do not allow what was asked for.",
    "INVALID_PARAMS": "The provider cannot take the request as it is.",
    "PROVIDER_UNAUTHORIZED": "The provider refused the operator's key.",
    "PROVIDER_OUT_OF_CREDIT": "The operator's account at the provider is used up.",
    "SPEND_CEILING": "The operator's daily ceiling at the provider was reached.",
    "MODEL_RETIRED": "The provider no longer serves the model.",
    "OUT_OF_MEMORY": "It is too large for the machine that makes it: ask for less, or for another model.",
    "FAILED_BY_OPERATOR": "The operator ended it together with others that were stuck: its timeline says who and when.",
    "STORAGE_WRITE_FAILED": "It was made, but its files could not be stored.",
}


def _reasons(facts: JobFacts) -> list[str]:
    """Why each try but the last failed, with the last."""
    returns = [str(event.details.get("reason")) for event in facts.events if event.type == EventType.RETRYING]
    return [*returns, str(facts.job.failure.get("message") or "")]


def _where_time_went(facts: JobFacts) -> str:
    job = facts.job
    ended = job.finished_at or facts.now
    at_provider_s = sum((call.ended_at or ended) - call.sending_at for call in facts.calls)
    queued_s = (job.started_at or ended) - job.start_at
    rest_s = max(0.0, ended - job.start_at - queued_s - at_provider_s)
    spans = {"its queue": queued_s, "its provider": at_provider_s, "between tries and storing": rest_s}
    return ", ".join(f"{what} {span(for_s)}" for what, for_s in spans.items() if for_s >= 0.5) or "less than a second"


def _evidence(facts: JobFacts) -> Evidence:
    error, job = facts.job.failure, facts.job
    return {
        "code": error.get("code"),
        "provider": error.get("provider"),
        "provider_code": error.get("provider_code"),
        "provider_request_id": error.get("provider_request_id"),
        "attempt": job.attempt,
        "lost_n": job.lost_n,
        "waited_s": round((job.started_at or job.finished_at or facts.now) - job.start_at, 1),
        "ran_s": round(job.finished_at - job.started_at, 1) if job.finished_at and job.started_at else None,
    }


def delivery_missing(facts: JobFacts) -> Cause | None:
    """It ended, and the receiver of its webhooks has not heard."""
    for delivery, tries in facts.deliveries:
        last = tries[-1] if tries else None
        if delivery.state == "delivered" or last is None:
            continue
        said = last.error or f"HTTP status {last.status}"
        gave_up = delivery.state == "failed"
        return cause(
            facts,
            "DELIVERY_MISSING",
            Severity.WARNING if gave_up else Severity.INFO,
            f"Its receiver was told {delivery.type} {count(delivery.tries_n, 'time')} in vain: {said}.",
            "It is not tried again." if gave_up else "It is tried again.",
            Remedy("Mend the receiver; what it missed stands in the job.", f"safelight jobs deliveries {facts.job.id}"),
            user="It ended, but your callback did not take the message.",
            evidence={"url": delivery.url, "tries": delivery.tries_n, "status": last.status, "error": last.error},
        )
    return None
