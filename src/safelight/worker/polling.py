"""When an accepted call is asked for again: soon at first, then less often, and never before the provider wants it."""

from __future__ import annotations

from safelight.worker.bench import Pace

GROWTH = 1.5
LONGEST_PUT_OFF_S = 300.0
"""No provider is believed further: the deadline goes on."""


class PollTimes:
    """The pauses between the questions about one call."""

    def __init__(self, pace: Pace) -> None:
        self._every_s = pace.poll_every_s
        self._pause_s = min(pace.first_poll_s, pace.poll_every_s)
        self._put_off_s = 0.0

    def next_s(self) -> float:
        """How long to wait now; each time a little longer, up to `poll_every_s`."""
        pause_s = max(self._pause_s, self._put_off_s)
        self._pause_s, self._put_off_s = min(self._every_s, self._pause_s * GROWTH), 0.0
        return pause_s

    def put_off(self, retry_after_s: float | None) -> None:
        """The provider does not want to be asked so soon, or at all so often."""
        self._pause_s = self._every_s
        self._put_off_s = min(retry_after_s or 0.0, LONGEST_PUT_OFF_S)
