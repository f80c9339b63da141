"""Bring what was made into storage. What was paid for is tried again while there is time: it cannot be made anew."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from safelight.domain.clock import local_s
from safelight.domain.errors import StorageFailed
from safelight.domain.jobs import Stage
from safelight.domain.outcomes import Made
from safelight.services.assets import NewAsset
from safelight.telemetry.await_points import crashable
from safelight.worker.bench import Bench
from safelight.worker.deliver import Origin, deliver
from safelight.worker.live_call import LiveCall

log = structlog.get_logger(__name__)


async def upload(
    bench: Bench, live: LiveCall, origin: Origin, outputs: tuple[Made, ...], within_s: float
) -> list[NewAsset]:
    """Store outputs and thumbnails. Raises as `deliver` does: of a free call at once, else after trying for a while."""
    pace, began_s = bench.pace, local_s()
    tries_s = 0.0 if live.repeatable else min(pace.store_for_s, within_s)
    with _shown(live, pace.say_uploading_after_s):
        while True:
            spent_s = local_s() - began_s
            try:
                return await deliver(bench.store, origin, outputs, max(within_s - spent_s, pace.store_again_s))
            except StorageFailed as error:
                if spent_s + pace.store_again_s > tries_s:
                    raise
                log.warning("delivery_tried_again", error=str(error), in_s=pace.store_again_s)
                await asyncio.sleep(pace.store_again_s)


@contextmanager
def _shown(live: LiveCall, after_s: float) -> Iterator[None]:
    """Say that files are being uploaded, if that takes long enough to be seen."""
    saying = asyncio.create_task(crashable(_say(live, after_s)))
    try:
        yield
    finally:
        saying.cancel()


async def _say(live: LiveCall, after_s: float) -> None:
    await asyncio.sleep(after_s)
    await live.reporter.write(Stage.UPLOADING)
