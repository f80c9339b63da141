"""Looks at the gates of this process's providers, and lets parked jobs in when one opens.

Every worker does it: what one missed, or died over, the next look of any other makes up for.
"""

from __future__ import annotations

import asyncio

import structlog

from safelight.domain.errors import SafelightError
from safelight.services import gate_look, gate_parking
from safelight.telemetry.spell import Spell
from safelight.worker.bench import Bench
from safelight.worker.passable import openings

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 1.0
THOROUGH_EVERY = 5
"""Looks. Jobs that wait for a gate that is still shut may have another way now."""
AT_LEAST_BETWEEN_S = 0.05


class Gatekeeper:
    """`run` until cancelled."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._looks = 0

    async def run(self) -> None:
        spell = Spell(log, "gates_unknown")
        while True:
            try:
                await self.look_once()
                spell.over()
            except (OSError, SafelightError) as error:
                spell.met(error)
            await asyncio.sleep(AT_LEAST_BETWEEN_S)
            await self._bench.gates.poked(LOOK_EVERY_S if self._bench.tolls() else THOROUGH_EVERY * LOOK_EVERY_S)

    async def look_once(self) -> int:
        """How many jobs were let in."""
        bench, tolls = self._bench, self._bench.tolls()
        seen = await bench.database.read(gate_look.look, tolls, bench.presence.id)
        bench.gates.learn(seen)
        thorough = self._looks % THOROUGH_EVERY == 0
        self._looks += 1
        found = openings(seen, bench.catalog.models, bench.providers, bench.today(), bench.gates, thorough=thorough)
        if not found:
            return 0
        moved = await bench.database.write(gate_parking.let_through, found)
        if moved:
            log.info("gate_let_in", jobs=moved)
        return moved
