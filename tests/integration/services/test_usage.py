"""Credits used per hour: written down when the hour is over, and only then; a busy hour stands out against a week."""

from __future__ import annotations

import math

from safelight.diagnosis.look_spending import spending
from safelight.services import usage
from safelight.services.usage import HOUR_S, Hour
from safelight.store.database import Database
from safelight.store.tx import Tx
from tests.integration.services.scene import complete, job, running, scene, turn_back


def ended(tx: Tx, name: str, hours_ago: float) -> None:
    """A job that captured its price so long ago."""
    assert complete(tx, running(tx, name))
    turn_back(tx, job(tx, name).number, "finished_at", hours_ago * HOUR_S)


def test_hours_that_are_over_are_written_down_the_oldest_first_and_once(shared: Database) -> None:
    with scene(shared) as tx:
        now = math.floor(tx.now / HOUR_S)
        ended(tx, "a", 2)
        ended(tx, "b", 1)
        ended(tx, "c", 0)
        first = usage.news(tx)
        assert sum(hour.credits for hour in first) == 20
        assert {hour.hour for hour in first} <= {now - 2, now - 1}, "this hour is not over"
        assert usage.keep(tx, first) == len(first)
        assert usage.news(tx) == []
        assert usage.known(tx) == first


def test_after_a_long_pause_a_few_hours_are_made_up_for_at_a_time(shared: Database) -> None:
    with scene(shared) as tx:
        ended(tx, "a", 100)
        first = usage.news(tx)
        assert len(first) == usage.AT_ONCE
        assert sum(hour.credits for hour in first) == 10
        usage.keep(tx, first)
        assert usage.news(tx)[0].hour == first[-1].hour + 1


def test_what_is_usual_is_known_after_a_day(shared: Database) -> None:
    with scene(shared) as tx:
        now = math.floor(tx.now / HOUR_S)
        ended(tx, "a", 0.5)
        usage.keep(tx, [Hour(now - n, 2, 1) for n in range(1, 24)])
        assert spending(tx).hours == 0
        usage.keep(tx, [Hour(now - 24, 26, 1)])
        found = spending(tx)
        assert (found.last_hour, found.mean, found.hours) == (10, 3.0, 24)
        assert (found.most_of, found.of_them) == ("ann", 10)
