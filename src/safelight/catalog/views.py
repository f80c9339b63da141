"""The catalog as it is now, for one group of users: the same models, with learnt durations and the terms of a tier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from safelight.catalog.catalog import Catalog
from safelight.catalog.model import Model
from safelight.catalog.tiers import DEFAULT_TIER

SHORTEST_S = 0.001


class Learnt(Protocol):
    """How long the jobs of a model ran."""

    @property
    def p50_s(self) -> float: ...
    @property
    def p95_s(self) -> float: ...


def timed(catalog: Catalog, learnt: Mapping[str, Learnt]) -> Catalog:
    """With what models have shown to take instead of what the file expects."""
    return replace(catalog, models=tuple(_timed(model, learnt.get(model.id)) for model in catalog.models))


def for_tier(catalog: Catalog, name: str | None) -> Catalog:
    """What members of a tier may use, on its terms. Who is in none, or in one that is gone, belongs to the default."""
    known = name if name is not None and name in catalog.tiers else DEFAULT_TIER
    tier = catalog.tiers.get(known)
    if tier is None:
        return catalog
    models = tuple(tier.model(model) for model in catalog.models)
    denied = frozenset(model.id for model in models if not tier.includes(model))
    return replace(catalog, models=models, tier=known, denied=denied)


def _timed(model: Model, learnt: Learnt | None) -> Model:
    if learnt is None:
        return model
    spans = {"typical_s": max(SHORTEST_S, learnt.p50_s), "p95_s": max(SHORTEST_S, learnt.p95_s)}
    return model.model_copy(update=spans)
