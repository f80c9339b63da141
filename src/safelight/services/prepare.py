"""From what a caller asked to what will be inserted: resolve the model, check the values, fill in defaults, price."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from safelight.catalog.catalog import Catalog, ModelWarning, Resolved
from safelight.catalog.inputs import role_errors
from safelight.catalog.model import NOTHING_KNOWN, Model
from safelight.domain.errors import Forbidden, InvalidParams, ModelUnavailable, Remedy
from safelight.domain.rates import RateLimit
from safelight.services import callback
from safelight.services.callback import Callback
from safelight.services.inputs import MOST_INPUTS, InputRef
from safelight.services.sql import as_json
from safelight.services.submission import Submission

SHORTEST_RUN_S = 30.0
"""A deadline nearer than this, or than what its model may well need, could not be met even by an idle worker."""
MAX_SEED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a front door understood of a request, before any default is applied."""

    kind: str
    prompt: str | None = None
    model: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[InputRef, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    provider: str | None = None
    """Pins the route."""
    start_at: float | None = None
    """Epoch seconds."""
    deadline_s: float | None = None
    priority: int = 0
    callback: Callback | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What the operator allows: seconds of waiting, and of running by kind."""

    max_wait_s: float
    batch_wait_s: float
    """Of a batch's items."""
    run_s: Mapping[str, float]
    rate: RateLimit | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and how this request is told apart from others."""

    user_id: str
    request_id: str | None = None
    idempotency_key: str | None = None
    base: str = ""
    """The address under which the caller sees this installation; empty where there is none."""
    goes_first: bool = False
    """Whether their key has the scope `admin`, which priorities above 0 take."""
    is_local: bool = False
    """Whether they came in local mode, which has no rate limit."""
    sent_before: int | None = None
    """As `Submission.sent_before`."""


def prepare(
    request: JobRequest,
    caller: Caller,
    catalog: Catalog,
    *,
    configured: Collection[str],
    limits: Limits,
    today: date,
    job_id: str,
    seed: int,
    replay_of: int | None = None,
    missing: Mapping[str, str] = NOTHING_KNOWN,
) -> Submission:
    """Check a request whole and turn it into a Submission; `seed` is used if the caller gave none.

    Raises UnknownModel, ModelRetired, ModelUnavailable or InvalidParams with every wrong field at once.
    """
    resolved = catalog.resolve(request.kind, request.model, configured=configured, today=today, missing=missing)
    _check(request, resolved.model)
    _check_pin(request.provider, resolved.model, configured, today, missing)
    params = _complete(request.params, resolved.model, seed)
    return _submission(job_id, request, caller, resolved, params, limits, replay_of)


def refuse_pushing(priority: int, caller: Caller) -> None:
    """Raises Forbidden for who wants to go before everybody else and may not."""
    if priority > 0 and not caller.goes_first:
        raise Forbidden(
            f"Priority {priority} takes a key with the scope `admin`.",
            remedy=Remedy("Ask for priority 0 or below, or use a key that has it."),
        )


def request_hash(request: JobRequest) -> str:
    """Identity of a request as it was asked, before defaults: what an idempotency key stands for."""
    return hashlib.sha256(canonical(request).encode()).hexdigest()


def canonical(request: JobRequest) -> str:
    """The one way to write a request down."""
    plain = [name for name in JobRequest.__dataclass_fields__ if name not in ("inputs", "callback")]
    asked = {name: getattr(request, name) for name in plain}
    if request.inputs:  # requests without any are written as ever: keys of earlier releases still stand for them
        asked["inputs"] = [ref.canonical() for ref in request.inputs]
    if request.callback:
        asked["callback"] = request.callback.asked()
    return json.dumps(asked, sort_keys=True, default=dict, ensure_ascii=False, separators=(",", ":"))


def _check(request: JobRequest, model: Model) -> None:
    """Everything wrong with the request, in one error."""
    errors: dict[str, list[str]] = {}
    if prompt := model.prompt_errors(request.prompt):
        errors["prompt"] = prompt
    if request.provider and request.provider not in {route.provider for route in model.routes}:
        offered = ", ".join(route.provider for route in model.routes)
        errors["provider"] = [f"does not offer {model.id!r}; it runs at: {offered}"]
    errors.update(model.parameter_errors(request.params))
    errors.update(_input_errors(request.inputs, model))
    if errors:
        first = next(f"{path}: {texts[0]}" for path, texts in errors.items())
        more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
        raise InvalidParams(f"{first}{more}", errors=errors)


def _input_errors(given: Sequence[InputRef], model: Model) -> dict[str, list[str]]:
    if len(given) > MOST_INPUTS:
        return {"inputs": [f"at most {MOST_INPUTS}, got {len(given)}"]}
    return role_errors(model.inputs, [ref.role for ref in given])


def _check_pin(
    pin: str | None, model: Model, configured: Collection[str], today: date, missing: Mapping[str, str]
) -> None:
    """A pinned provider is the only one the worker may use: that another could do it is no help."""
    reason = model.why_unavailable(configured=configured, today=today, pin=pin, missing=missing)
    if reason:
        raise ModelUnavailable(model=model.id, reason=reason)


def _complete(given: Mapping[str, Any], model: Model, seed: int) -> dict[str, Any]:
    """The parameters with every default, and a seed if the model takes one."""
    params = model.with_defaults(given)
    if "seed" in model.parameters:
        params.setdefault("seed", seed % (MAX_SEED + 1))
    return params


def _submission(
    job_id: str,
    request: JobRequest,
    caller: Caller,
    resolved: Resolved,
    params: dict[str, Any],
    limits: Limits,
    replay_of: int | None,
) -> Submission:
    model = resolved.model
    max_wait_s, warnings = _waiting_limit(request, model, limits)
    return Submission(
        id=job_id,
        user_id=caller.user_id,
        kind=model.kind,
        model=model.id,
        queue=model.queue,
        prompt=request.prompt or "",
        params=as_json(params),
        outputs=int(params.get("n", 1)),
        price=model.price_credits(params, request.prompt or "", len(request.inputs)),
        share=max(1.0, model.typical_s),
        max_wait_s=max_wait_s,
        run_limit_s=limits.run_s[model.kind],
        labels=as_json(dict(request.labels)),
        warnings=as_json([{"code": w.code, "message": w.message} for w in (*resolved.warnings, *warnings)]),
        priority=request.priority,
        provider_pin=request.provider,
        request_id=caller.request_id,
        start_at=request.start_at,
        key=caller.idempotency_key,
        request_hash=request_hash(request),
        sent_before=caller.sent_before,
        terms=model.price.model_dump_json(exclude_defaults=True) if model.price.by_usage else None,
        replay_of=replay_of,
        callback=callback.written(request.callback),
    )


def _waiting_limit(request: JobRequest, model: Model, limits: Limits) -> tuple[float, list[ModelWarning]]:
    if request.deadline_s is None:
        return limits.max_wait_s, []
    least = min(max(SHORTEST_RUN_S, model.longest_s), max(SHORTEST_RUN_S, limits.run_s[model.kind]))
    if request.deadline_s >= least:
        return request.deadline_s, []
    text = f"A deadline of {request.deadline_s:g} s is too near for this model; it was raised to {least:g} s."
    return least, [ModelWarning("deadline_raised", text)]
