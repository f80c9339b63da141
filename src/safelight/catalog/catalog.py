"""All models of an installation, and which one a request means: defaults, aliases, retirement.

Pure: what is configured and which day it is are arguments.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from safelight.catalog.limits import NO_LIMITS, ProviderLimits
from safelight.catalog.model import NOTHING_KNOWN, Model, Route
from safelight.catalog.parameters import LONGEST_SHOWN, nearest
from safelight.catalog.tiers import Tier
from safelight.domain.errors import ModelRetired, ModelUnavailable, Remedy, UnknownModel

WARN_BEFORE = timedelta(days=30)
"""How long before a model is shut down its users are warned."""


@dataclass(frozen=True, slots=True)
class ModelWarning:
    """Something the caller should know although the request is accepted."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """The model a request means and the route it takes now."""

    model: Model
    route: Route
    warnings: tuple[ModelWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalog:
    """Models in order of preference within each kind. Ids and aliases are unique across all of them."""

    models: tuple[Model, ...]
    providers: Mapping[str, ProviderLimits] = field(default_factory=dict)
    follow_successors: bool = False
    """Whether a request for a retired model means its successor, with a warning, instead of being refused."""
    tiers: Mapping[str, Tier] = field(default_factory=dict)
    tier: str | None = None
    """Whose view of it this is (`views.for_tier`); None is everybody's."""
    denied: frozenset[str] = frozenset()
    """Ids of models that this tier does not include."""
    _by_name: dict[str, Model] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names = {name: model for model in self.models for name in (model.id, *model.aliases)}
        object.__setattr__(self, "_by_name", names)

    @property
    def by_name(self) -> Mapping[str, Model]:
        """Every model, by its id and by each alias."""
        return self._by_name

    @property
    def max_batch(self) -> int | None:
        """How many items a batch may have at most, for this tier."""
        return self.tiers[self.tier].max_batch if self.tier else None

    @property
    def running_caps(self) -> dict[str, int | None]:
        """Of every tier."""
        return {name: tier.running_cap for name, tier in self.tiers.items()}

    def warm_up(self) -> None:
        """Load what checks parameters, so that the first request is as quick as the others."""
        for model in self.models:
            _ = model.validators

    def get(self, name: str) -> Model | None:
        """The model of that id or alias, of whatever kind, retired or not."""
        return self._by_name.get(name)

    def limits_of(self, provider: str) -> ProviderLimits:
        """What the operator allows there."""
        return self.providers.get(provider, NO_LIMITS)

    def of_kind(self, kind: str) -> tuple[Model, ...]:
        return tuple(model for model in self.models if model.kind == kind)

    def resolve(
        self,
        kind: str,
        model: str | None,
        *,
        configured: Collection[str],
        today: date,
        missing: Mapping[str, str] = NOTHING_KNOWN,
    ) -> Resolved:
        """The model and route for a request; `configured` are the providers some live process can serve, and `missing`
        says what others lack.

        Raises UnknownModel, ModelRetired or ModelUnavailable.
        """
        if model is None:
            default = self._default(kind, configured=configured, today=today, missing=missing)
            return self._resolved(default, configured, today, missing)
        named = self.get(model)
        if named is None or named.kind != kind:
            raise self._unknown(kind, model)
        return self._resolved(named, configured, today, missing)

    def successor(self, model: Model, today: date) -> Model | None:
        """The first model after this one that is not retired itself; None if there is none."""
        seen = {model.id}
        following: Model | None = model
        while following is not None and following.is_retired(today):
            following = self.get(following.successor) if following.successor else None
            if following is not None and following.id in seen:
                return None
            seen.add(following.id if following else "")
        return following

    def _resolved(self, model: Model, configured: Collection[str], today: date, missing: Mapping[str, str]) -> Resolved:
        if model.id in self.denied:
            raise ModelUnavailable(model=model.id, reason=f"tier {self.tier!r} does not include it")
        if model.is_retired(today):
            return self._after(model, configured, today, missing)
        route = model.usable_route(configured=configured, today=today)
        if route:
            return Resolved(model, route, tuple(_warnings(model, today)))
        reason = model.why_unavailable(configured=configured, today=today, missing=missing)
        raise ModelUnavailable(model=model.id, reason=reason or "no route is open")

    def _after(self, retired: Model, configured: Collection[str], today: date, missing: Mapping[str, str]) -> Resolved:
        """The successor in its place, if the operator allows that. Raises ModelRetired."""
        following = self.successor(retired, today)
        if following is None or not self.follow_successors:
            instead = following.id if following else retired.successor
            raise ModelRetired(model=retired.id, shutdown_date=str(retired.shutdown_date), successor=instead)
        found = self._resolved(following, configured, today, missing)
        text = f"Model {retired.id!r} was shut down on {retired.shutdown_date}; {following.id!r} took its place."
        return Resolved(found.model, found.route, (ModelWarning("model_replaced", text), *found.warnings))

    def why_unavailable(
        self, model: Model, *, configured: Collection[str], today: date, missing: Mapping[str, str] = NOTHING_KNOWN
    ) -> str | None:
        """Why one of its models cannot be used here, now, by this tier; None if it can."""
        if model.id in self.denied:
            return f"tier {self.tier!r} does not include it"
        return model.why_unavailable(configured=configured, today=today, missing=missing)

    def _default(self, kind: str, *, configured: Collection[str], today: date, missing: Mapping[str, str]) -> Model:
        candidates = self.of_kind(kind)
        for model in candidates:
            if model.id not in self.denied and model.usable_route(configured=configured, today=today):
                return model
        if not candidates:
            raise ModelUnavailable(kind=kind, reason="the catalog has none")
        candidates = tuple(model for model in candidates if model.id not in self.denied)
        if not candidates:
            raise ModelUnavailable(kind=kind, reason=f"tier {self.tier!r} includes none")
        living = next((model for model in candidates if not model.is_retired(today)), candidates[0])
        reason = living.why_unavailable(configured=configured, today=today, missing=missing)
        raise ModelUnavailable(kind=kind, reason=f"of {living.id!r}, the first choice, {reason}")

    def _unknown(self, kind: str, model: str) -> UnknownModel:
        candidates = self.of_kind(kind)
        names = {name: m.id for m in candidates for name in (m.id, *m.aliases)}
        named = self.get(model)
        close = None if named else nearest(model, names)
        error = UnknownModel(
            model=model if len(model) <= LONGEST_SHOWN else f"{model[: LONGEST_SHOWN - 1]}…",
            kind=kind,
            supported=[candidate.id for candidate in candidates],
            did_you_mean=names[close] if close else None,
        )
        elsewhere = named or self.get(nearest(model, self._by_name) or "")
        if elsewhere and not close:
            of_kind = f"{elsewhere.id!r} is a model of kind {elsewhere.kind!r}."
            error.remedy = Remedy(f"{of_kind} Give that kind." if named else of_kind, "safelight models")
            error.evidence["kind_of_nearest"] = {"model": elsewhere.id, "kind": elsewhere.kind}
        return error


def _warnings(model: Model, today: date) -> list[ModelWarning]:
    if model.shutdown_date is None or model.shutdown_date - today > WARN_BEFORE:
        return []
    instead = f"; use {model.successor!r}" if model.successor else ""
    text = f"Model {model.id!r} will be shut down by its provider on {model.shutdown_date}{instead}."
    return [ModelWarning("model_retiring", text)]
