"""The daily ceiling of a provider: calls beyond it are not made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from safelight.services.spend import Spending, reserve
from safelight.store.database import Database
from tests.integration.services.scene import scene

TODAY = Spending("acme", "2026-01-31", 0.4, 1.0)


def test_calls_are_counted_until_the_next_would_pass_the_ceiling(shared: Database) -> None:
    with scene(shared) as tx:
        assert [reserve(tx, TODAY) for _ in range(3)] == [True, True, False]
        assert reserve(tx, TODAY._replace(usd=0.2)), "a cheaper one still fits"


def test_each_provider_and_each_day_has_its_own_ceiling_and_none_means_none(shared: Database) -> None:
    with scene(shared) as tx:
        full = TODAY._replace(usd=1.0)
        assert (reserve(tx, full), reserve(tx, full)) == (True, False)
        assert reserve(tx, full._replace(provider="other"))
        assert reserve(tx, full._replace(day="2026-02-01"))
        assert reserve(tx, full._replace(ceiling_usd=None))


def test_many_workers_at_once_do_not_pass_the_ceiling_together(database: Database) -> None:
    def one(_: int) -> bool:
        with database.transaction() as tx:
            return reserve(tx, TODAY._replace(usd=0.1))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, range(20))) == 10
