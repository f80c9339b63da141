"""What keeps a job at its provider: a shut gate before the call, or a call that takes its time."""

from __future__ import annotations

from typing import Final

from safelight.diagnosis.explain.cause import NOTHING_TO_DO, Cause, cause
from safelight.diagnosis.explain.job_facts import JobFacts
from safelight.diagnosis.finding import Evidence, Remedy, Severity
from safelight.diagnosis.words import span
from safelight.domain.clock import as_rfc3339
from safelight.domain.gates import Cause as Why
from safelight.domain.gates import Shut
from safelight.domain.outcomes import ErrorClass
from safelight.services.gate_look import Standing
from safelight.services.gate_parking import provider_of

SILENT_TIMES: Final = 2.0
"""So many times what nearly all jobs of its model needed, where it is not known what all but one in a hundred did."""
UPLOADS_LONG_S: Final = 30.0


def shut_gate(facts: JobFacts) -> Cause | None:
    """It waits before the gate of its provider; or every gate it could pass is shut."""
    if facts.job.resumes or facts.open_call:
        return None
    at = provider_of(facts.job.waiting_for)
    shut = {name: standing for name, standing in facts.gates.items() if standing.shut}
    if at is None and (not shut or len(shut) < len(facts.routes.providers)):
        return None
    name = at if at in shut else next(iter(shut), at)
    standing = facts.gates.get(name or "")
    if name is None or standing is None or standing.shut is None:
        return None
    code, remedy, severity = _verdict(standing, standing.shut)
    until = standing.shut.until
    user = _USERS.get(code, "It waits for its provider to take calls again.")
    return cause(
        facts,
        code,
        severity,
        f"It waits for {name} to take calls again.",
        f"{standing.shut.why[:1].upper()}{standing.shut.why[1:]}",
        remedy,
        user=user + (f" The next try is in {span(max(0.0, until - facts.now))}." if until else ""),
        sooner=f"{name} took calls",
        evidence=_gate_evidence(standing),
        subject=name,
    )


def _verdict(standing: Standing, shut: Shut) -> tuple[str, Remedy, Severity]:
    name = standing.toll.provider
    opens = Remedy("Wait, or let the next call try at once.", f"safelight providers open {name}")
    match shut.cause:
        case Why.COOLDOWN:
            return "PROVIDER_COOLDOWN", Remedy("Wait: it is over by itself."), Severity.INFO
        case Why.CONCURRENCY | Why.REQUESTS_PER_MINUTE:
            return "PROVIDER_LIMIT", Remedy("Wait, or raise the limit in the catalog file."), Severity.INFO
        case Why.SPEND_CEILING:
            text = "Raise SAFELIGHT_DAILY_SPEND_USD, or wait until midnight UTC."
            return "SPEND_CEILING", Remedy(text, "safelight providers list"), Severity.WARNING
        case Why.BREAKER if standing.gate.error_class == ErrorClass.UNAUTHORIZED:
            text = "Set a valid key for every process, and start them again."
            return "PROVIDER_UNAUTHORIZED", Remedy(text, "safelight providers check"), Severity.ERROR
        case Why.BREAKER if standing.gate.error_class == ErrorClass.OUT_OF_CREDIT:
            text = "Fill up the account, then let the next call try."
            return "PROVIDER_OUT_OF_CREDIT", Remedy(text, opens.command), Severity.ERROR
        case Why.BREAKER:
            return "PROVIDER_BREAKER_OPEN", opens, Severity.ERROR


_USERS: Final = {
    "PROVIDER_COOLDOWN": "Its provider is busy and asked for a pause.",
    "PROVIDER_LIMIT": "As many jobs as allowed are with its provider; it takes its turn.",
    "SPEND_CEILING": "As much as planned for today was spent at its provider; it goes on after midnight (UTC).",
    "PROVIDER_UNAUTHORIZED": "Its provider does not let us in; the operator has to see to that.",
    "PROVIDER_OUT_OF_CREDIT": "The operator's account at its provider is used up.",
    "PROVIDER_BREAKER_OPEN": "Its provider is in trouble; now and then one call tries whether that is over.",
}


def _gate_evidence(standing: Standing) -> Evidence:
    gate, shut = standing.gate, standing.shut
    return {
        "failures": gate.failures,
        "last_error": gate.reason,
        "until": as_rfc3339(shut.until) if shut and shut.until else None,
        "open_calls": standing.open_calls,
        "limit": standing.toll.concurrency,
    }


def cooled(facts: JobFacts) -> Cause | None:
    """Its own call was refused as one too many, or the model is being loaded: it waits for the time that was named."""
    job, back = facts.job, facts.last_return
    code = _RETURNS.get(str(back.get("code")))
    if code is None or job.due_at is None or job.due_at <= facts.now or job.started_at is None:
        return None
    in_s = span(job.due_at - facts.now)
    if code == "SPEND_CEILING":
        return _too_dear_today(facts, str(back.get("reason")))
    cold = code == "PROVIDER_COLD_START"
    return cause(
        facts,
        code,
        Severity.INFO,
        f"It is tried again at {as_rfc3339(job.due_at)}, in {in_s}; that uses up no try.",
        str(back.get("reason") or "The provider asked for a pause."),
        Remedy("Wait, or let it try now.", f"safelight jobs retry {job.id}"),
        user=f"Its model is being loaded; it goes on in {in_s}."
        if cold
        else f"Its provider is busy; next try in {in_s}.",
        sooner="its provider were ready",
        evidence={"due_at": as_rfc3339(job.due_at), "code": str(back.get("code"))},
    )


_RETURNS: Final = {
    "rate_limited": "PROVIDER_COOLDOWN",
    "cold_start": "PROVIDER_COLD_START",
    "spend_ceiling": "SPEND_CEILING",
}


def _too_dear_today(facts: JobFacts, reason: str) -> Cause:
    """Cheaper calls would still fit into the day: its gate is open, and it comes back to it every minute."""
    return cause(
        facts,
        "SPEND_CEILING",
        Severity.WARNING,
        "It does not fit into what may still be spent today, and is tried again every minute.",
        reason,
        Remedy("Raise SAFELIGHT_DAILY_SPEND_USD, or wait until midnight UTC.", "safelight providers list"),
        user=_USERS["SPEND_CEILING"],
        sooner="the daily ceiling were raised",
        evidence={"due_at": as_rfc3339(facts.job.due_at) if facts.job.due_at else None},
    )


def provider_unknown(facts: JobFacts) -> Cause | None:
    call = facts.open_call
    if call is None or call.state != "unknown":
        return None
    since_s = max(0.0, facts.now - (call.unknown_at or call.sending_at))
    return cause(
        facts,
        "PROVIDER_UNKNOWN",
        Severity.WARNING,
        f"Nobody knows whether {call.provider} accepted its call, since {span(since_s)}.",
        "The connection was lost, or its worker died, after the call was sent and before an answer came.",
        Remedy("Wait: it is looked for; SAFELIGHT_UNKNOWN_CALLS decides what follows.", "safelight settings"),
        user="The connection to its provider was lost; whether it was accepted is being found out. Nobody pays twice.",
        evidence={"call": call.id, "provider": call.provider, "unknown_s": round(since_s, 1)},
        subject=call.provider,
    )


def provider_queue(facts: JobFacts) -> Cause | None:
    call = facts.open_call
    if facts.job.stage != "provider_queue" or call is None or _is_slow(facts):
        return None
    return cause(
        facts,
        "PROVIDER_QUEUE",
        Severity.INFO,
        f"{call.provider} has it, and has not begun yet.",
        "It waits in the provider's own queue, or for a machine to start there.",
        NOTHING_TO_DO,
        user="Its provider has it and will begin soon.",
        evidence={
            "provider": call.provider,
            "remote_id": call.remote_id,
            "for_s": round(facts.now - call.sending_at, 1),
        },
        subject=call.provider,
    )


def provider_slow(facts: JobFacts) -> Cause | None:
    call, usual = facts.open_call, facts.usual
    if call is None or usual is None or not _is_slow(facts):
        return None
    silent = facts.now - call.sending_at > max(usual.p99_s or SILENT_TIMES * usual.p95_s, usual.p95_s) + 1.0
    ran_s = facts.now - call.sending_at
    has_id = f"as {call.remote_id}" if call.remote_id else "without having named it"
    return cause(
        facts,
        "PROVIDER_SILENT" if silent else "PROVIDER_SLOW",
        Severity.WARNING if silent else Severity.INFO,  # one in twenty is that slow
        f"{call.provider} has had it for {span(ran_s)}, {has_id}; most needed at most {span(usual.p95_s)}.",
        "The provider is slow." if not silent else "The provider is overloaded, or has lost it.",
        Remedy(
            "Wait: it fails at its deadline and the credits come back; or cancel it.",
            f"safelight jobs cancel {facts.job.id}",
        )
        if silent
        else Remedy("Wait: at its deadline it fails, and the credits come back."),
        user=f"Its provider takes longer than usual: {span(ran_s)} so far, usually {span(usual.p50_s)}.",
        evidence={
            "ran_s": round(ran_s, 1),
            "p50_s": usual.p50_s,
            "p95_s": usual.p95_s,
            "p99_s": usual.p99_s,
            "remote_id": call.remote_id,
        },
        subject=call.provider,
    )


def _is_slow(facts: JobFacts) -> bool:
    """Whether it has run for longer than nearly all of its model needed."""
    since = facts.runs_since
    return facts.usual is not None and since is not None and facts.now - since > facts.usual.p95_s + 1.0


def uploading(facts: JobFacts) -> Cause | None:
    job = facts.job
    ended = max((call.ended_at or 0.0 for call in facts.calls), default=0.0)
    if job.stage not in ("downloading", "uploading"):
        return None
    for_s = facts.now - ended if ended else 0.0
    slow = for_s > UPLOADS_LONG_S
    return cause(
        facts,
        "UPLOADING",
        Severity.WARNING if slow else Severity.INFO,
        f"It is made; its files are being {'fetched' if job.stage == 'downloading' else 'stored'}.",
        "That takes long: the network or the storage is slow." if slow else "That takes seconds.",
        Remedy("Look at the storage.", "safelight doctor") if slow else NOTHING_TO_DO,
        user="It is made; its files are being stored.",
        evidence={"stage": job.stage, "for_s": round(for_s, 1)},
    )
