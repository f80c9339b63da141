"""Ask a provider whether it knows a call of ours. Finding it is proof, not finding it is none."""

from __future__ import annotations

import asyncio

import structlog

from safelight.providers.protocol import Finds
from safelight.services.aftercare import LeftCall
from safelight.services.calls import OpenCall
from safelight.worker.bench import Bench

log = structlog.get_logger(__name__)


async def remote_id_of(bench: Bench, call: OpenCall | LeftCall) -> str | None:
    """The provider's name for the call; None where it does not know, cannot be asked or does not answer."""
    provider = bench.providers[call.provider]
    if not isinstance(provider, Finds):
        return None
    try:
        async with asyncio.timeout(bench.pace.find_within_s):
            return await provider.find(call.id)
    except Exception as error:  # the provider's own
        log.warning("find_failed", call_id=call.id, error=f"{type(error).__name__}: {error}")
        return None
