"""Bring what was made into storage. What was paid for is tried again while there is time: it cannot be made anew."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager

import structlog

from safelight.domain.clock import local_s
from safelight.domain.errors import StorageFailed
from safelight.domain.outcomes import Made
from safelight.services.assets import NewAsset
from safelight.telemetry.await_points import crashable
from safelight.worker.bench import Bench
from safelight.worker.deliver import Delivery
from safelight.worker.fetching import NotFetched
from safelight.worker.finishing import Origin
from safelight.worker.live_call import LiveCall

log = structlog.get_logger(__name__)


async def upload(
    bench: Bench, live: LiveCall, origin: Origin, outputs: tuple[Made, ...], within_s: float
) -> list[NewAsset]:
    """Fetch and store outputs and thumbnails. Raises as `Delivery.bring` does, of a free call at once.

    Else it is tried until nothing has moved for a while: a slow download of a long film is no reason to give up.
    """
    pace = bench.pace
    patience = _Patience(0.0 if live.repeatable else pace.store_for_s, local_s() + within_s, pace.store_again_s)
    delivery = Delivery(bench.store, bench.fetching, origin, outputs)
    with closing(delivery), _shown(live, delivery, pace.say_uploading_after_s):
        while True:
            try:
                return await delivery.bring(patience.left_s())
            except (StorageFailed, NotFetched) as error:
                gone = isinstance(error, NotFetched) and not error.can_get_better
                if gone or patience.is_over(delivery.steps_n):
                    raise
                log.warning("delivery_tried_again", error=str(error), in_s=pace.store_again_s)
                await asyncio.sleep(pace.store_again_s)


class _Patience:
    """How long failures are borne: `for_s` since the last time that anything moved, and never past the end."""

    def __init__(self, for_s: float, ends_s: float, pause_s: float) -> None:
        self._for_s, self._ends_s, self._pause_s = for_s, ends_s, pause_s
        self._moved_n = -1
        self._since_s = local_s()

    def left_s(self) -> float:
        return max(self._ends_s - local_s(), self._pause_s)

    def is_over(self, moved_n: int) -> bool:
        """After a failure. The first one is borne from now on; one after some progress too."""
        now = local_s()
        if moved_n != self._moved_n:
            self._moved_n, self._since_s = moved_n, now
        next_s = now + self._pause_s
        return next_s > self._since_s + self._for_s or next_s > self._ends_s


@contextmanager
def _shown(live: LiveCall, delivery: Delivery, after_s: float) -> Iterator[None]:
    """Say that files are being fetched or stored, if that takes long enough to be seen."""
    saying = asyncio.create_task(crashable(_say(live, delivery, after_s)))
    try:
        yield
    finally:
        saying.cancel()


async def _say(live: LiveCall, delivery: Delivery, after_s: float) -> None:
    await asyncio.sleep(after_s)
    said = None
    while True:
        delivery.moved.clear()
        if delivery.stage != said:
            said = delivery.stage
            await live.reporter.write(said)
        await delivery.moved.wait()
