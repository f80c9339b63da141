"""What a worker process knows of gates between two looks. A hint: `sending` decides."""

from __future__ import annotations

import asyncio

from safelight.domain.gates import Cause, Shut
from safelight.services.gate_look import Seen


class GateView:
    """Which gates are shut, by provider. Everything is open until something else is known."""

    def __init__(self) -> None:
        self.shut: dict[str, Shut] = {}
        self.elsewhere: frozenset[str] = frozenset()
        """Providers that other live workers have."""
        self._jobs_wait = False
        self._poked = asyncio.Event()

    def is_open(self, provider: str, *, costs: bool) -> bool:
        shut = self.shut.get(provider)
        return shut is None or (shut.cause is Cause.SPEND_CEILING and not costs)

    def learn(self, seen: Seen) -> None:
        """All that was seen takes the place of what was known."""
        self.shut = {s.toll.provider: s.shut for s in seen.standings if s.shut}
        self.elsewhere = seen.elsewhere
        self._jobs_wait = bool(seen.parked)

    def note(self, provider: str, shut: Shut | None) -> None:
        """News of one gate. Jobs may have come to wait for it, or need no longer."""
        known = dict(self.shut)
        if shut is None:
            known.pop(provider, None)
        elif not (shut.hopeless or shut.alone):
            known[provider] = shut
        if known != self.shut:
            self.shut = known
            self._poked.set()

    def call_ended(self) -> None:
        """There may be room for a job that waits."""
        if self._jobs_wait:
            self._poked.set()

    async def poked(self, within_s: float) -> None:
        """Until there is a reason to look, or the time is over."""
        try:
            async with asyncio.timeout(within_s):
                await self._poked.wait()
        except TimeoutError:
            pass
        self._poked.clear()
