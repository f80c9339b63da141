"""Look for a call that may have been accepted: first among our own files, then at its provider.

Finding it is proof, not finding it is none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from safelight.domain.errors import StorageFailed
from safelight.providers.protocol import Finds
from safelight.services.aftercare import LeftCall
from safelight.services.assets import NewAsset
from safelight.services.calls import OpenCall
from safelight.worker.bench import Bench
from safelight.worker.finishing import Origin
from safelight.worker.stored import stored_before

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Stored:
    """Everything it was to make is in storage: only its finish was lost."""

    files: Sequence[NewAsset]


@dataclass(frozen=True, slots=True)
class Written:
    """Its text came when its worker had lost the job, and was kept."""

    text: str
    charge: int | None
    cut_short: bool


@dataclass(frozen=True, slots=True)
class Sendable:
    """Its provider makes each of our ids once: it may simply be sent again."""


@dataclass(frozen=True, slots=True)
class Named:
    """Its provider knows it, under this name."""

    remote_id: str


@dataclass(frozen=True, slots=True)
class NoTrace:
    """Nobody knows it; some of its files may have been stored all the same."""

    files: Sequence[NewAsset]


@dataclass(frozen=True, slots=True)
class StorageAway:
    """The files could not be looked at, so nothing can be said."""

    why: str


Trace = Stored | Written | Sendable | Named | NoTrace | StorageAway


async def trace_of(bench: Bench, call: OpenCall, origin: Origin, outputs: int) -> Trace:
    """What can be found of a call that was to make so many outputs."""
    if call.text is not None:
        return Written(call.text, call.charge, call.cut_short)
    try:
        files = await stored_before(bench.store, bench.fetching, origin)
    except StorageFailed as error:
        log.warning("files_not_looked_at", error=str(error), evidence=error.evidence)
        return StorageAway("The storage could not be looked at.")  # where and why is the operator's: the log has it
    if len(files) >= outputs:
        return Stored(files[:outputs])
    if bench.providers[call.provider].idempotent:
        return Sendable()
    remote_id = await remote_id_of(bench, call)
    return NoTrace(files) if remote_id is None else Named(remote_id)


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
