"""When an accepted call is asked for again."""

from __future__ import annotations

from itertools import pairwise

from safelight.worker.bench import Pace
from safelight.worker.polling import LONGEST_PUT_OFF_S, PollTimes


def test_the_first_questions_come_soon_and_the_pauses_grow_but_stay_below_two_seconds() -> None:
    times = PollTimes(Pace())
    pauses = [times.next_s() for _ in range(10)]
    assert pauses[0] == 0.5
    assert all(before <= after for before, after in pairwise(pauses))
    assert pauses[-1] == Pace().poll_every_s < 2.0


def test_a_provider_that_wants_to_be_asked_later_is_and_once() -> None:
    times = PollTimes(Pace())
    times.put_off(7.0)
    assert times.next_s() == 7.0
    assert times.next_s() == Pace().poll_every_s


def test_one_that_says_only_not_now_is_asked_at_the_longest_pause() -> None:
    times = PollTimes(Pace())
    times.put_off(None)
    assert times.next_s() == Pace().poll_every_s


def test_no_provider_puts_it_off_for_ever() -> None:
    times = PollTimes(Pace())
    times.put_off(86_400.0)
    assert times.next_s() == LONGEST_PUT_OFF_S


def test_a_worker_in_a_hurry_asks_as_often_as_it_is_told() -> None:
    assert PollTimes(Pace(poll_every_s=0.01)).next_s() == 0.01
