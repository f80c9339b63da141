"""How long models take: learnt from ended jobs, shown to those who wait."""

from __future__ import annotations

import sqlalchemy as sa

from safelight.services import durations
from safelight.services.claim import claim
from safelight.services.durations import Duration, learn
from safelight.services.read_jobs import job_details
from safelight.services.submit import submit
from safelight.store import tables
from safelight.store.database import Database
from safelight.store.statements import Change
from safelight.store.tx import Tx
from tests.integration.services.scene import claimed, complete, hire, scene, submitted, wish

_jobs = tables.jobs
_RAN = Change(sa.update(_jobs).where(_jobs.c.status == "completed").values(started_at=_jobs.c.finished_at - 8.0))


def ran(tx: Tx, *names: str, model: str = "fake") -> None:
    """Jobs that took eight seconds each."""
    for job in claimed(tx, *names, model=model):
        assert complete(tx, job)
    tx.run(_RAN)


def test_half_and_nearly_all_of_the_runs_are_told_apart() -> None:
    spans = [("m", float(n)) for n in range(1, 101)]
    assert learn(spans) == [Duration("m", 100, 50.0, 95.0, 99.0)]


def test_a_few_runs_of_a_model_say_nothing() -> None:
    assert learn([("rare", 1.0)] * 4 + [("usual", 2.0)] * 5) == [Duration("usual", 5, 2.0, 2.0, 2.0)]


def test_what_was_learnt_is_kept_and_is_no_news_the_second_time(shared: Database) -> None:
    with scene(shared) as tx:
        ran(tx, *(f"a{n}" for n in range(5)))
        learnt = durations.news(tx)
        assert learnt == [Duration("fake", 5, 8.0, 8.0, 8.0)]
        assert durations.keep_durations(tx, learnt) == 1
        assert durations.known(tx) == {"fake": Duration("fake", 5, 8.0, 8.0, 8.0)}
        assert durations.news(tx) == []
        ran(tx, "one-more")
        submitted(tx, "waits")
        assert durations.keep_durations(tx, durations.news(tx)) == 1
        assert durations.known(tx)["fake"].jobs == 6


def test_a_waiting_job_hears_about_when_a_worker_will_be_free_for_it(shared: Database) -> None:
    with scene(shared, workers=()) as tx:
        durations.keep_durations(tx, [Duration("slow", 9, 40.0, 60.0)])
        slow = [wish(f"slow-{n}", model="slow") for n in range(8)]
        submit(tx, [*slow, wish("b"), wish("last"), wish("film", queue="video")])

        def eta_s(name: str) -> float | None:
            details = job_details(tx, name, "ann")
            assert details
            return details.eta_s

        assert eta_s("last") is None, "nobody works"
        hire(tx, "w1", "w2")  # four slots each
        assert [eta_s("slow-7"), eta_s("b"), eta_s("last")] == [0.0, 40.0, 40.1], "the eighth finds a free slot"
        assert eta_s("film") is None
        claimed = claim(tx, "w1", ["image"], 4)
        assert (len(claimed), eta_s("slow-0"), eta_s("slow-7"), eta_s("b")) == (4, None, 0.0, 30.0)
