"""Decide which processes are lost: by their counters and this process's own clock, never by anybody's timestamps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from safelight.services.presence import Process


@dataclass(frozen=True, slots=True)
class _Watched:
    beat_n: int
    since_s: float


@dataclass(frozen=True, slots=True)
class Machine:
    """Which machine the watcher itself runs on, and how it looks for a process there."""

    host: str
    boot_id: str
    is_gone: Callable[[int, str], bool]
    """Process id and start time → whether that process has certainly ended."""


class LostWatch:
    """Sees the same `beat_n` for a whole lease through consecutive reads, or a dead process of its own machine."""

    def __init__(self, machine: Machine, lease_s: float) -> None:
        self._machine, self._lease_s = machine, lease_s
        self._watched: dict[str, _Watched] = {}
        self._read_at: float | None = None

    def lost(self, processes: Sequence[Process], now_s: float) -> list[Process]:
        """Those to declare lost. `now_s` is the local clock; call it after every successful read."""
        live = [process for process in processes if process.lost_at is None]
        if self._read_at is not None and now_s - self._read_at > self._lease_s / 2:
            self._watched.clear()  # a gap in our own reads proves nothing about anybody
        self._read_at = now_s
        self._watched = {p.id: self._seen(p, now_s) for p in live}
        return [p for p in live if self._is_dead_here(p) or self._is_silent(p, now_s)]

    def restart(self) -> None:
        """Forget for how long anybody was silent: whatever kept the watcher from beating may have kept all others."""
        self._watched.clear()

    def _seen(self, process: Process, now_s: float) -> _Watched:
        before = self._watched.get(process.id)
        return before if before and before.beat_n == process.beat_n else _Watched(process.beat_n, now_s)

    def _is_silent(self, process: Process, now_s: float) -> bool:
        return now_s - self._watched[process.id].since_s >= self._lease_s

    def _is_dead_here(self, process: Process) -> bool:
        here = self._machine
        if (process.host, process.boot_id) != (here.host, here.boot_id):
            return False
        return here.is_gone(process.pid, process.process_started)
