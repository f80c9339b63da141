"""Route that asks each provider, read-only, whether it still serves the models that the catalog has at it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter

from safelight.api.context import Installation, Operator
from safelight.api.providers import probed
from safelight.providers.protocol import Knows, ModelState, ProbeResult, Provider
from safelight.services.model_check import finding, open_routes

router = APIRouter(tags=["health"])

AT_ONCE = 8
"""Questions to one provider at a time."""
KNOWS_WITHIN_S = 8.0
"""So that all is said before a client loses patience."""


@router.get("/api/health/models", summary="Ask for every model")
async def check_models(safelight: Installation, visitor: Operator) -> list[dict[str, Any]]:
    """Per model and provider: gone, ends, unfit, unsure, ok or not_set_up. Costs nothing, and takes some seconds.

    `fine` is null where nobody was asked: the provider is not set up.
    """
    routes = open_routes(safelight.catalog, datetime.now(UTC).date())
    lacks = (await safelight.desk.lookout.look()).missing
    probes: dict[str, ProbeResult] = {}
    states: dict[tuple[str, str], ModelState] = {}
    wanted: dict[str, list[str]] = {}
    for asked in routes:
        if asked.route.provider in safelight.providers:
            wanted.setdefault(asked.route.provider, []).append(asked.route.model)
    looks = [_look(safelight.providers[name], dict.fromkeys(models)) for name, models in wanted.items()]
    for name, (probe, found) in zip(wanted, await asyncio.gather(*looks), strict=True):
        probes[name] = probe
        states |= {(name, model): state for model, state in found.items()}
    return [
        finding(
            asked,
            probes.get(asked.route.provider),
            states.get((asked.route.provider, asked.route.model)),
            lacks.get(asked.route.provider, "not set up in this process"),
        )
        for asked in routes
    ]


async def _look(provider: Provider, models: dict[str, None]) -> tuple[ProbeResult, dict[str, ModelState]]:
    """The provider itself first: where it is not fit, its models are not asked for."""
    probe = await probed(provider)
    if provider.repeatable:  # it runs here: what it has does not depend on anybody else
        return probe, dict.fromkeys(models, ModelState(True))
    if not probe.reachable or probe.key_valid is False or not isinstance(provider, Knows):
        return probe, {}
    room = asyncio.Semaphore(AT_ONCE)
    states = await asyncio.gather(*(_state(provider, model, room) for model in models))
    return probe, dict(zip(models, states, strict=True))


async def _state(provider: Knows, model: str, room: asyncio.Semaphore) -> ModelState:
    try:
        async with room, asyncio.timeout(KNOWS_WITHIN_S):
            return await provider.knows(model)
    except TimeoutError:
        return ModelState(None, message=f"no answer within {KNOWS_WITHIN_S:.0f} s")
    except Exception as error:  # an adapter's own
        return ModelState(None, message=f"the question failed: {type(error).__name__}")
