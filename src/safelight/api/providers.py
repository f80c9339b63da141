"""Route of providers: what is known of each, and on request what it says itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query

from safelight.api.context import Installation, Reader, require
from safelight.app import Safelight
from safelight.diagnosis.sources import tolls_of
from safelight.providers.protocol import ProbeResult, Provider
from safelight.services.provider_board import board, missing_body, provider_body

router = APIRouter(tags=["health"])

ANSWERS_WITHIN_S = 10.0

Check = Annotated[bool, Query(description="Ask every provider, read-only: is its key valid, is there money?")]


@router.get("/api/health/providers", summary="Every provider")
async def providers(safelight: Installation, reader: Reader, check: Check = False) -> list[dict[str, Any]]:
    """Whether it is set up, what its gate lets through, what was spent today.

    `key`: ok, bad, missing or unknown; none where it takes no key. Asking them takes the scope `admin`.
    """
    if check:
        require(reader, "admin")
    tolls = tolls_of(safelight.providers, safelight.catalog, safelight.settings.daily_spend_usd)
    found, probes = await asyncio.gather(safelight.database.read(board, tolls), _probes(safelight, check))
    lines = [provider_body(line, found.now, probes.get(line.standing.toll.provider)) for line in found.lines]
    there = {line["provider"] for line in lines}
    missing = (await safelight.desk.lookout.look()).missing
    return [*lines, *(missing_body(name, why) for name, why in missing.items() if name not in there)]


async def _probes(safelight: Safelight, check: bool) -> Mapping[str, ProbeResult]:
    """What each says of itself, all at once."""
    if not check:
        return {}
    names = list(safelight.providers)
    results = await asyncio.gather(*(probed(safelight.providers[name]) for name in names))
    return dict(zip(names, results, strict=True))


async def probed(provider: Provider) -> ProbeResult:
    """What it says of itself, in time; whatever goes wrong is said, not raised."""
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            return await provider.probe()
    except TimeoutError:
        return ProbeResult(reachable=False, message=f"no answer within {ANSWERS_WITHIN_S:.0f} s")
    except Exception as error:  # an adapter's own
        return ProbeResult(reachable=False, message=f"the look at it failed: {type(error).__name__}")
