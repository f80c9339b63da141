"""The watchdog: tells a hung loop from a frozen process, and ends only a process whose loop hangs."""

from __future__ import annotations

import threading

from safelight.worker.watchdog import Watchdog

LIMIT_S = 30.0


class Scene:
    """A clock, and a loop that ticks when the test says so."""

    def __init__(self) -> None:
        self.now_s = self.ticked_at = 100.0
        self.watchdog = Watchdog(lambda: self.ticked_at, LIMIT_S, end=lambda _: None, clock=lambda: self.now_s)

    def looks_until(self, end_s: float, *, ticking: bool = False) -> list[float]:
        """The seconds, of those looked at once a second, at which it is called hung."""
        found = []
        while self.now_s < end_s:
            self.now_s += 1.0
            self.ticked_at = self.now_s if ticking else self.ticked_at
            if self.watchdog.hangs_for() is not None:
                found.append(self.now_s)
        return found


def test_a_loop_that_did_not_tick_for_the_whole_limit_hangs() -> None:
    assert Scene().looks_until(132) == [131, 132]


def test_a_loop_that_ticks_does_not_hang_and_one_that_stopped_ticking_is_counted_from_then_on() -> None:
    scene = Scene()
    assert scene.looks_until(200, ticking=True) == []
    assert scene.looks_until(231) == [231]


def test_a_process_that_was_frozen_or_suspended_has_not_hung() -> None:
    scene = Scene()
    scene.looks_until(110, ticking=True)
    scene.now_s += 1_000  # nothing ran: neither the loop nor the watchdog
    assert scene.looks_until(1_111, ticking=False) == []
    assert scene.looks_until(1_200, ticking=True) == []


def test_a_loop_that_hangs_after_the_machine_woke_up_is_found_a_limit_later() -> None:
    scene = Scene()
    scene.now_s += 1_000
    assert scene.looks_until(1_132) == [1_132]  # the first look after the gap is at 1101


def test_the_thread_ends_a_process_whose_loop_hangs_and_no_other() -> None:
    hung, well = threading.Event(), threading.Event()
    hanging = Watchdog(lambda: 0.0, 0.05, end=lambda _: hung.set())
    ticks = iter(range(1, 10_000))
    ticking = Watchdog(lambda: float(next(ticks)), 10.0, end=lambda _: well.set(), clock=lambda: 5.0)
    hanging.start()
    ticking.start()
    try:
        assert hung.wait(10)
        assert not well.is_set()
    finally:
        hanging.stop()
        ticking.stop()
