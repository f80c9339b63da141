"""Providers: reachable, with a valid key and money, and letting calls through; and models that come to an end."""

from __future__ import annotations

from collections.abc import Iterator

from safelight.diagnosis.facts import Facts, ModelEnd, ProviderFacts
from safelight.diagnosis.finding import Affected, Evidence, Finding, Remedy, Severity
from safelight.diagnosis.rules.registry import rule
from safelight.diagnosis.words import count
from safelight.domain.clock import as_rfc3339
from safelight.domain.gates import Cause, Gate
from safelight.domain.outcomes import ErrorClass


@rule("PROVIDER_UNAUTHORIZED")
def provider_unauthorized(facts: Facts) -> Iterator[Finding]:
    """A provider refuses the key: asked now, or at the last call."""
    for provider in facts.providers:
        says = provider.probe.key_valid if provider.probe else None
        refused = _tripped_by(provider, ErrorClass.UNAUTHORIZED)
        if says is False or (refused and says is None):
            yield _about(
                provider,
                "PROVIDER_UNAUTHORIZED",
                f"{provider.name} refuses the key: {_words(provider)}",
                "The key is wrong, was revoked, or may not do this.",
                Remedy("Set a valid key for every process, and start them again.", "safelight providers check"),
            )
        elif refused:
            yield _try_again(provider, "PROVIDER_UNAUTHORIZED", "its key is valid again")


@rule("PROVIDER_OUT_OF_CREDIT")
def provider_out_of_credit(facts: Facts) -> Iterator[Finding]:
    """The account at a provider has no money left."""
    for provider in facts.providers:
        says = provider.probe.has_money if provider.probe else None
        refused = _tripped_by(provider, ErrorClass.OUT_OF_CREDIT)
        if says is False or (refused and says is None):
            yield _about(
                provider,
                "PROVIDER_OUT_OF_CREDIT",
                f"The account at {provider.name} is out of credit: {_words(provider)}",
                "Calls there are refused until the account is filled up.",
                Remedy("Fill up the account, then let the next call try.", f"safelight providers open {provider.name}"),
            )
        elif refused:
            yield _try_again(provider, "PROVIDER_OUT_OF_CREDIT", "its account has credit again")


@rule("PROVIDER_UNREACHABLE")
def provider_unreachable(facts: Facts) -> Iterator[Finding]:
    """A provider that is set up does not answer."""
    for provider in facts.providers:
        if provider.probe is not None and not provider.probe.reachable:
            yield _about(
                provider,
                "PROVIDER_UNREACHABLE",
                f"{provider.name} does not answer: {provider.probe.message or 'no reason given'}",
                "The network, a proxy or the provider itself is down, or its base address is wrong.",
                Remedy("Check the network from this machine, and the base address.", "safelight settings"),
            )


@rule("PROVIDER_ERRORS")
def provider_errors(facts: Facts) -> Iterator[Finding]:
    """A provider failed so often in a row that its gate is shut."""
    for provider in facts.providers:
        gate = provider.standing.gate if provider.standing else None
        if gate is None or gate.tripped_at is None or gate.error_class in _OF_ITS_OWN:
            continue
        reachable = provider.probe is None or provider.probe.reachable
        yield _about(
            provider,
            "PROVIDER_ERRORS",
            f"{provider.name} failed {gate.failures} times in a row: {_words(provider)}",
            "The provider is in trouble. Its gate is shut; one call after another tries whether that is over.",
            Remedy("Wait, or let the next call try at once.", f"safelight providers open {provider.name}"),
            severity=Severity.ERROR if provider.jobs_waiting else Severity.WARNING,
            because_of=None if reachable else "PROVIDER_UNREACHABLE",
        )


@rule("PROVIDER_COOLDOWN", "PROVIDER_LIMIT", "SPEND_CEILING")
def provider_at_its_limit(facts: Facts) -> Iterator[Finding]:
    """A provider takes no calls for a while: it asked for a pause, or the operator's own limit is reached."""
    for provider in facts.providers:
        shut = provider.standing.shut if provider.standing else None
        if shut is None or shut.cause is Cause.BREAKER:
            continue
        code, remedy, severity = _LIMITS[shut.cause]
        yield _about(
            provider,
            code,
            f"{provider.name} takes no more calls now: {shut.why}.",
            "That passes by itself." if shut.until is None else f"It opens again at {as_rfc3339(shut.until)}.",
            remedy,
            severity=severity if provider.jobs_waiting else Severity.INFO,
        )


_WAIT = Remedy("Wait; nothing else is needed.")
_RAISE = Remedy("Wait, or raise the limit in the catalog file.", "safelight providers list")
_LIMITS = {
    Cause.COOLDOWN: ("PROVIDER_COOLDOWN", _WAIT, Severity.INFO),
    Cause.CONCURRENCY: ("PROVIDER_LIMIT", _RAISE, Severity.INFO),
    Cause.REQUESTS_PER_MINUTE: ("PROVIDER_LIMIT", _RAISE, Severity.INFO),
    Cause.SPEND_CEILING: (
        "SPEND_CEILING",
        Remedy("Raise SAFELIGHT_DAILY_SPEND_USD, or wait until midnight UTC.", "safelight providers list"),
        Severity.WARNING,
    ),
}


@rule("MODEL_RETIRES")
def model_retires(facts: Facts) -> Iterator[Finding]:
    """A model in use is shut down by its provider within thirty days, or was."""
    unused = [end for end in facts.models_ending if not end.in_use and end.days >= 0]
    yield from (_retires(end, _stranded(facts, end)) for end in facts.models_ending if end.in_use)
    if unused:
        names = [end.model for end in unused]
        yield Finding(
            "MODEL_RETIRES",
            Severity.INFO,
            "models",
            f"Of the models that nobody used lately {len(unused)} will be shut down within 30 days.",
            "Their providers said so; jobs for them are refused from then on.",
            Remedy("Tell those who may name them.", "safelight models list"),
            evidence={"models": names, "first_on": min(end.on for end in unused)},
        )


def _stranded(facts: Facts, end: ModelEnd) -> Affected:
    """Jobs that wait for a model which nobody serves any more."""
    waits = facts.rows.waits if facts.rows and end.days <= 0 else ()
    found = [wait for wait in waits if wait.model == end.model and not facts.routes.get(wait.model)]
    return Affected(sum(wait.jobs for wait in found), sum(wait.credits for wait in found))


def _retires(end: ModelEnd, stranded: Affected) -> Finding:
    when = f"in {count(end.days, 'day')}" if end.days >= 0 else f"{count(-end.days, 'day')} ago"
    successor = f"Use {end.successor!r}." if end.successor else "Choose another model."
    waits, remedy = "", Remedy(f"{successor} Tell those who name it.", "safelight models list")
    if stranded.jobs:
        waits = f"; {count(stranded.jobs)} still {'waits' if stranded.jobs == 1 else 'wait'} for it"
        command = f"safelight recover plan --finding MODEL_RETIRES --model {end.model} --cancel --yes"
        remedy = Remedy(f"Cancel what waits for it; their credits are free again. {successor}", command)
    return Finding(
        "MODEL_RETIRES",
        Severity.ERROR if stranded.jobs else Severity.WARNING,
        end.model,
        f"{end.provider} {'shuts' if end.days >= 0 else 'shut'} down {end.model!r} on {end.on}, {when}{waits}.",
        "Its provider said so; jobs for it are refused from then on.",
        remedy,
        evidence={"on": end.on, "days": end.days, "successor": end.successor},
        affects=stranded,
    )


_OF_ITS_OWN = frozenset({ErrorClass.UNAUTHORIZED, ErrorClass.OUT_OF_CREDIT})


def _tripped_by(provider: ProviderFacts, error_class: ErrorClass) -> bool:
    gate = provider.standing.gate if provider.standing else None
    return gate is not None and gate.tripped_at is not None and gate.error_class == error_class


def _words(provider: ProviderFacts) -> str:
    """Its own, of now or of the last call."""
    said = provider.probe.message if provider.probe else ""
    gate = provider.standing.gate if provider.standing else None
    return said or (gate.reason if gate else None) or "it does not say why"


def _try_again(provider: ProviderFacts, code: str, what: str) -> Finding:
    return _about(
        provider,
        code,
        f"The gate of {provider.name} is shut, though {what}.",
        "It was shut by the last refusal, and no call has tried since.",
        Remedy("Let the next call try at once.", f"safelight providers open {provider.name}"),
        severity=Severity.WARNING,
    )


def _about(
    provider: ProviderFacts,
    code: str,
    symptom: str,
    cause: str,
    remedy: Remedy,
    *,
    severity: Severity = Severity.ERROR,
    because_of: str | None = None,
) -> Finding:
    gate = provider.standing.gate if provider.standing else None
    return Finding(
        code,
        severity,
        provider.name,
        symptom,
        cause,
        remedy,
        evidence=_evidence(gate, provider),
        affects=Affected(provider.jobs_waiting),
        because_of=because_of,
    )


def _evidence(gate: Gate | None, provider: ProviderFacts) -> Evidence:
    found: dict[str, str | int | float | bool | None] = {"jobs_waiting": provider.jobs_waiting}
    if gate is not None and gate.failed_at is not None:
        found |= {"last_error": gate.reason, "error_class": gate.error_class, "failed_at": as_rfc3339(gate.failed_at)}
    if gate is not None and gate.tripped_at is not None:
        found["next_try_at"] = as_rfc3339(gate.trial_at) if gate.trial_at else None
    if provider.probe is not None:
        found |= {"asked": provider.probe.message or "ok", "key_valid": provider.probe.key_valid}
    return found
