"""Whoever carries a recovery out waits for those that move its jobs, and sees what they did. Postgres can tell."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from safelight.domain.ids import new_id
from safelight.services import recovery_effect
from safelight.services.claim import claim
from safelight.services.job_filter import JobFilter
from safelight.services.recoveries import Wanted, members, plan
from safelight.services.recovery_rules import Action
from safelight.store.connect import open_database
from safelight.testing.books import assert_books_balance
from tests.integration.services.scene import complete, job, set_scene, submitted
from tests.integration.services.test_lock_order import WITHIN_S, until_somebody_waits_for_a_lock


def test_a_job_that_ends_while_a_recovery_takes_effect_is_left_as_it_ended(postgres_url: str) -> None:
    with closing(open_database(postgres_url)) as here, closing(open_database(postgres_url)) as there:
        with here.transaction() as tx:
            set_scene(tx)
            submitted(tx, "taken", "stuck")
            wanted = Wanted(Action.FAIL, JobFilter(("pending", "processing")), "", "olga", 0.0)
            made, _ = plan(tx, wanted, new_id())
            (taken,) = claim(tx, "w1", ["image"], 1)
        assert made is not None
        number = made.number

        def sweep() -> recovery_effect.Slice:
            with there.transaction() as tx:
                return recovery_effect.carry_out(tx, number)

        with ThreadPoolExecutor(1) as pool:
            with here.transaction() as tx:
                assert complete(tx, taken)
                swept = pool.submit(sweep)
                until_somebody_waits_for_a_lock(postgres_url)
            assert not swept.result(WITHIN_S).goes_on
        with here.transaction() as tx:
            assert {row.id: row.outcome for row in members(tx, number, 10)} == {"taken": "ended", "stuck": "failed"}
            assert job(tx, "taken").status == "completed"
            assert_books_balance(tx)


def test_a_recovery_is_worked_at_by_one_process_at_a_time(postgres_url: str) -> None:
    with closing(open_database(postgres_url)) as here, closing(open_database(postgres_url)) as there:
        with here.transaction() as tx:
            set_scene(tx)
            submitted(tx, "stuck")
            made, _ = plan(tx, Wanted(Action.FAIL, JobFilter(("pending",)), "", "olga", 0.0), new_id())
        assert made is not None
        with here.transaction() as first:
            assert recovery_effect.carry_out(first, made.number).dealt == 1
            with there.transaction() as second:
                assert recovery_effect.carry_out(second, made.number) == recovery_effect.Slice(goes_on=False)
