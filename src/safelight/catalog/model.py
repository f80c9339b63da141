"""One model of the catalog: where it can run, what it takes, what it costs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from safelight.catalog.entry import Entry
from safelight.catalog.inputs import InputRule, Role
from safelight.catalog.parameters import as_canonical, parameter_errors, text_error, validator_of
from safelight.catalog.pixels import Shape
from safelight.catalog.rates import Cost, Price

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

Kind = Literal["image", "video", "text", "upscale"]
ModelId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$", max_length=200)]
QueueName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)]
NOTHING_KNOWN: Mapping[str, str] = MappingProxyType({})
ParameterName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]


class Route(Entry):
    """The model at one provider, under the provider's own name for it."""

    provider: str = Field(min_length=1)
    model: str = Field(min_length=1)
    shutdown_date: date | None = None
    """First day on which the provider no longer serves it, from the provider's own notice."""
    successor: str | None = None
    cost_usd: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """What one output is expected to cost there, in US dollars."""
    cost: Cost | None = None
    """The same where it depends on more than the number of outputs."""

    @property
    def costs(self) -> bool:
        """Whether calls there cost anything."""
        return self.cost is not None or self.cost_usd > 0

    def estimate_usd(self, params: Mapping[str, Any], prompt: str = "", pictures: int = 0) -> float:
        """What a call with these complete parameters is expected to cost there at most."""
        if self.cost is None:
            return self.cost_usd * int(params.get("n", 1))
        return self.cost.estimate_usd(params, prompt, pictures)

    def used_usd(self, params: Mapping[str, Any], usage: Mapping[str, Any]) -> float | None:
        """What a call has cost by the usage that its provider told; None where that does not say."""
        return None if self.cost is None else self.cost.used_usd(params, usage)

    def is_over(self, today: date) -> bool:
        return self.shutdown_date is not None and today >= self.shutdown_date


class Model(Entry):
    id: ModelId
    title: str = Field(min_length=1)
    description: str = ""
    kind: Kind
    queue: QueueName
    """Default: the kind."""
    routes: tuple[Route, ...] = Field(min_length=1)
    """In order of preference."""
    parameters: dict[ParameterName, dict[str, Any]] = Field(default_factory=dict)
    """JSON Schema of each parameter; `default` is filled in at submit."""
    inputs: dict[Role, InputRule] = Field(default_factory=dict)
    """Which pictures it starts from, by role."""
    price: Price
    typical_s: float = Field(gt=0, allow_inf_nan=False)
    """How long a job usually runs, until enough have shown it."""
    p95_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """How long all but one in twenty run at most, where that is known."""
    aliases: tuple[ModelId, ...] = ()
    ai_generated: bool = True
    max_prompt_chars: int = Field(default=8000, ge=1)
    prompt_required: bool = True
    """Default: for every kind but upscale, which works on a picture."""
    limits: Shape = Shape()
    """On width and height together."""

    @model_validator(mode="before")
    @classmethod
    def _kind_decides(cls, data: Any) -> Any:
        """The queue is the kind's, and whether words are needed depends on it, unless the entry says otherwise."""
        if isinstance(data, dict) and "kind" in data:
            return {"queue": data["kind"], "prompt_required": data["kind"] != "upscale", **data}
        return data

    @cached_property
    def validators(self) -> dict[str, Draft202012Validator]:
        return {name: validator_of(schema) for name, schema in self.parameters.items()}

    def parameter_errors(self, params: Mapping[str, Any]) -> dict[str, list[str]]:
        """What is wrong with the parameters, by path (`params.width`); empty when all is well."""
        errors = parameter_errors(self.validators, params)
        if not errors and (wrong := list(self.limits.errors(self.with_defaults(params)))):
            errors["params.width" if "width" in self.parameters else "params.resolution"] = wrong
        return errors

    def prompt_errors(self, prompt: str | None) -> list[str]:
        """What is wrong with the prompt; an empty one is fine where none is needed."""
        if not prompt or not prompt.strip():
            wrong = "is required" if prompt is None else "must not be empty"
            return [wrong] if self.prompt_required else []
        if len(prompt) > self.max_prompt_chars:
            return [f"must have at most {self.max_prompt_chars} characters, got {len(prompt)}"]
        problem = text_error(prompt)
        return [problem] if problem else []

    def with_defaults(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters, in which `parameter_errors` found nothing wrong, complete with defaults.

        One without a default (the seed) stays out if it was not given.
        """
        given = {name: as_canonical(value) for name, value in params.items()}
        defaults = {name: schema["default"] for name, schema in self.parameters.items() if "default" in schema}
        return {**defaults, **given}

    def price_credits(self, params: Mapping[str, Any], prompt: str = "", pictures: int = 0) -> int:
        """What a job with these parameters costs at most. Takes parameters that were already validated."""
        return self.price.most(params, prompt, pictures)

    @property
    def longest_s(self) -> float:
        """What a job of it may well need: a limit below that would end it before its time."""
        return self.p95_s if self.p95_s is not None else 3 * self.typical_s

    def usable_route(self, *, configured: Collection[str], today: date, pin: str | None = None) -> Route | None:
        """The best route that can be taken today, at the provider `pin` if one is named; None if there is none."""
        return next(iter(self.usable_routes(configured=configured, today=today, pin=pin)), None)

    def usable_routes(self, *, configured: Collection[str], today: date, pin: str | None = None) -> tuple[Route, ...]:
        """All that can be taken today, the best first.

        The one place where routes are chosen: at submit, and again by the worker that makes the call.
        """
        return tuple(r for r in self._routes_at(pin) if r.provider in configured and not r.is_over(today))

    def route_at(self, provider: str) -> Route | None:
        """The route of a call that was made there already, shut down for new calls or not."""
        return next(iter(self._routes_at(provider)), None)

    def why_unavailable(
        self,
        *,
        configured: Collection[str],
        today: date,
        pin: str | None = None,
        missing: Mapping[str, str] = NOTHING_KNOWN,
    ) -> str | None:
        """Why it cannot be run here and now, as half a sentence; None if it can.

        `missing` says what providers lack, by name, as far as it is known: `no OPENAI_API_KEY`.
        """
        if self.usable_route(configured=configured, today=today, pin=pin):
            return None
        if self.is_retired(today):
            return f"it was shut down on {self.shutdown_date}"
        if pin and all(route.is_over(today) for route in self._routes_at(pin)):
            return f"provider {pin!r} no longer serves it"
        providers = dict.fromkeys(route.provider for route in self._routes_at(pin) if not route.is_over(today))
        lacks = [missing[provider] for provider in providers if provider in missing]
        if unknown := sorted(provider for provider in providers if provider not in missing):
            lacks.append(f"no process of this installation has provider {' or '.join(map(repr, unknown))} configured")
        return ", ".join(lacks)

    def is_retired(self, today: date) -> bool:
        return all(route.is_over(today) for route in self.routes)

    @property
    def shutdown_date(self) -> date | None:
        """The day its last route ends; None while one has no end."""
        last = self._last_route
        return last.shutdown_date if last else None

    @property
    def successor(self) -> str | None:
        """What to use after `shutdown_date`."""
        last = self._last_route
        return last.successor if last else None

    def public(self) -> dict[str, Any]:
        """The entry of `GET /api/models`, without what depends on the moment (availability)."""
        return {
            "id": self.id,
            "kind": self.kind,
            "title": self.title,
            "description": self.description,
            "queue": self.queue,
            "providers": list(dict.fromkeys(route.provider for route in self.routes)),
            "ai_generated": self.ai_generated,
            "price_credits": self.price_credits(self._default_params()),
            "price": self._public_price(),
            "typical_s": self.typical_s,
            "p95_s": self.p95_s,
            "max_prompt_chars": self.max_prompt_chars,
            "prompt_required": self.prompt_required,
            "shutdown_date": self.shutdown_date.isoformat() if self.shutdown_date else None,
            "successor": self.successor,
            "aliases": list(self.aliases),
            "parameters": {"type": "object", "properties": self.parameters, "additionalProperties": False},
            "inputs": {role: rule.model_dump() for role, rule in self.inputs.items()},
            "limits": self.limits.model_dump(),
        }

    def _public_price(self) -> dict[str, Any]:
        shown: dict[str, Any] = as_canonical(self.price.model_dump(exclude_defaults=True))
        return {**shown, "brief": self.price.brief}

    def _routes_at(self, provider: str | None) -> list[Route]:
        return [route for route in self.routes if provider in (None, route.provider)]

    @property
    def _last_route(self) -> Route | None:
        ends = [(route.shutdown_date, route) for route in self.routes if route.shutdown_date is not None]
        if len(ends) < len(self.routes):
            return None
        return max(ends, key=lambda end: end[0])[1]

    def _default_params(self) -> dict[str, Any]:
        return {name: schema["default"] for name, schema in self.parameters.items() if "default" in schema}
