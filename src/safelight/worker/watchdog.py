"""The watchdog: a thread that ends the process when its event loop hangs, and leaves behind what each thread was doing.

A hung loop is worse than a dead process: it holds jobs, answers nobody, and no supervisor starts it anew. What is sent
by then is found in the database by others. Only a hang of the loop counts: a process that was frozen, or a machine that
was suspended, goes on.
"""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
from collections.abc import Callable

import structlog

from safelight.domain.clock import local_s

log = structlog.get_logger(__name__)

HUNG = 70
"""Exit code: an internal software error, as sysexits.h has it."""
LOOKS_PER_LIMIT = 20
LAST_WORDS_S = 5.0
"""How long the stacks may take to be written: it may be standard error that hangs."""


class Watchdog:
    """Calls `end` once the loop has not ticked for `limit_s`. `ticked_at` tells when it did, by the same clock."""

    def __init__(
        self,
        ticked_at: Callable[[], float],
        limit_s: float,
        *,
        end: Callable[[float], None] | None = None,
        clock: Callable[[], float] = local_s,
    ) -> None:
        self._ticked_at, self._limit_s, self._clock = ticked_at, limit_s, clock
        self._end = end or end_process
        self._looked_at = self._watching_since = clock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="safelight-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._looked_at = self._watching_since = self._clock()
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer; `end` is not called any more when this returns."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(LAST_WORDS_S)

    def hangs_for(self) -> float | None:
        """For how many seconds the loop has hung; None while it is well. To be asked again and again.

        Not to have been asked for long means that this thread did not run either: the watch begins anew.
        """
        now = self._clock()
        if now - self._looked_at > self._limit_s / 2:
            self._watching_since = now
        self._looked_at = now
        silent_s = now - max(self._ticked_at(), self._watching_since)
        return silent_s if silent_s > self._limit_s else None

    def _serve(self) -> None:
        while not self._stopping.wait(self._limit_s / LOOKS_PER_LIMIT):
            if (hung_s := self.hangs_for()) is not None:
                self._end(hung_s)
                return


def end_process(hung_s: float) -> None:
    """Write the stacks of all threads to standard error, and exit. The loop cannot be asked to do anything."""
    last_resort = threading.Timer(LAST_WORDS_S, os._exit, (HUNG,))
    last_resort.daemon = True
    last_resort.start()
    faulthandler.dump_traceback(sys.__stderr__ or 2, all_threads=True)
    log.critical(
        "event_loop_hung", for_s=round(hung_s, 1), remedy="The stacks above name what blocked it; report that."
    )
    os._exit(HUNG)
