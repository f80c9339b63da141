"""Who is lost: decided by counters and the watcher's own clock, never by anybody's timestamps."""

from __future__ import annotations

import pytest

from safelight.maintenance.lost import LostWatch, Machine
from safelight.services.presence import Process

LEASE_S = 30.0


def process(name: str = "w", *, beat_n: int = 0, host: str = "far", pid: int = 7, **given: object) -> Process:
    values: dict[str, object] = dict.fromkeys(Process._fields, None)
    values |= {"id": name, "host": host, "boot_id": "boot", "pid": pid, "process_started": "100", "beat_n": beat_n}
    return Process(**{**values, **given})  # type: ignore[arg-type]


def watch(started: dict[int, str] | None = None, *, tells: bool = True) -> LostWatch:
    """A watcher on machine `here`, where the processes of `started` run; `tells` is whether it says so."""
    running = started or {}
    return LostWatch(Machine("here", "boot", lambda pid, at: tells and running.get(pid) != at), LEASE_S)


def lost(watcher: LostWatch, process_seen: Process, *, at_s: float) -> bool:
    return watcher.lost([process_seen], at_s) == [process_seen]


def read_every_second(watcher: LostWatch, seen: Process, start_s: int, end_s: int) -> list[int]:
    """The seconds, up to the last, at which it was called lost."""
    return [at_s for at_s in range(start_s, end_s + 1) if lost(watcher, seen, at_s=at_s)]


def test_a_process_is_lost_after_the_same_beat_was_seen_for_a_whole_lease() -> None:
    assert read_every_second(watch(), process(), 0, 32) == [30, 31, 32]


def test_every_beat_starts_the_lease_anew() -> None:
    watcher = watch()
    assert read_every_second(watcher, process(beat_n=4), 0, 29) == []
    assert read_every_second(watcher, process(beat_n=5), 30, 59) == []
    assert read_every_second(watcher, process(beat_n=5), 60, 60) == [60]


def test_a_counter_that_went_back_is_news_too() -> None:
    watcher = watch()
    read_every_second(watcher, process(beat_n=4), 0, 29)
    assert not lost(watcher, process(beat_n=3), at_s=30)


def test_a_gap_in_the_watchers_own_reads_starts_the_watch_anew() -> None:
    watcher = watch()
    assert read_every_second(watcher, process(), 0, 20) == []
    assert read_every_second(watcher, process(), 36, 65) == []
    assert lost(watcher, process(), at_s=66)


def test_one_read_however_late_proves_nothing() -> None:
    watcher = watch()
    assert not lost(watcher, process(), at_s=0)
    assert not lost(watcher, process(), at_s=1_000_000)


def test_a_timestamp_from_another_age_proves_nothing() -> None:
    assert not lost(watch(), process(beat_at=0.0, started_at=0.0), at_s=0)


def test_a_process_that_came_later_is_watched_from_then_on() -> None:
    watcher = watch()
    first, second = process("first"), process("second")
    for at_s in range(10):
        watcher.lost([first], at_s)
    assert [watcher.lost([first, second], at_s) for at_s in (29, 30)] == [[], []]  # the gap of 19 s starts anew
    watcher = watch()
    for at_s in range(30):
        assert watcher.lost([first] if at_s < 10 else [first, second], at_s) == []
    assert watcher.lost([first, second], 30) == [first]
    assert [watcher.lost([second], at_s) for at_s in (39, 40)] == [[], [second]]


def test_who_is_declared_lost_already_is_not_declared_again() -> None:
    watcher = watch()
    assert read_every_second(watcher, process(lost_at=1.0), 0, 40) == []


def test_a_process_of_this_machine_that_is_gone_is_lost_at_once() -> None:
    assert lost(watch(), process(host="here"), at_s=0)


def test_a_process_of_this_machine_that_runs_is_not_lost() -> None:
    assert not lost(watch({7: "100"}), process(host="here"), at_s=0)


def test_a_pid_that_belongs_to_a_younger_process_now_is_lost_at_once() -> None:
    assert lost(watch({7: "2000"}), process(host="here"), at_s=0)


@pytest.mark.parametrize("elsewhere", [{"host": "far"}, {"host": "here", "boot_id": "before"}])
def test_a_process_of_another_machine_or_boot_is_not_looked_for_here(elsewhere: dict[str, str]) -> None:
    assert not lost(watch(), process(**elsewhere), at_s=0)  # type: ignore[arg-type]


def test_where_the_system_does_not_say_who_runs_only_silence_counts() -> None:
    watcher = watch(tells=False)
    assert read_every_second(watcher, process(host="here"), 0, 30) == [30]


def test_a_local_process_that_runs_but_is_silent_is_lost_after_its_lease() -> None:
    assert read_every_second(watch({7: "100"}), process(host="here"), 0, 30) == [30]


def test_a_watcher_that_starts_anew_gives_everybody_a_whole_lease_again() -> None:
    watcher = watch()
    assert read_every_second(watcher, process(), 0, 29) == []
    watcher.restart()
    assert read_every_second(watcher, process(), 30, 60) == [60]
