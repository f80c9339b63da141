"""Paid calls that were begun and brought nothing: they are on the books with what they cost, and stay in the day."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from safelight.catalog.catalog import Catalog
from safelight.catalog.model import Route
from safelight.catalog.rates import Cost
from safelight.domain.outcomes import ErrorClass, ProviderError, Rejected
from safelight.providers.streaming import STOPPED
from safelight.services.cancel import cancel
from safelight.services.progress import Standing
from safelight.store import tables
from safelight.store.database import Database
from safelight.store.statements import Query
from safelight.store.tx import Tx
from safelight.testing.providers import Says, ScriptedProvider, Step, Waits, rejected
from safelight.worker.bench import Rules
from tests.integration.worker.house import MODEL, House, play

TEXT: dict[str, Any] = {"kind": "text", "price": 12, "params": '{"max_tokens":1000}', "prompt": "x" * 36}
PER_TOKEN = Cost(per="token", input_per_million=1000.0, output_per_million=1000.0)
CATALOG = Catalog((MODEL.model_copy(update={"routes": (Route(provider="scripted", model="m-1", cost=PER_TOKEN),)}),))
EXPECTED_USD = 1.1
USED = {"input_tokens": 10, "output_tokens": 40}
NO_WORD = Rejected(ProviderError(ErrorClass.INVALID_REQUEST, "all of it was thought", "length"), USED)
FILTERED = Rejected(ProviderError(ErrorClass.CONTENT_REJECTED, "the filter", "content_filter"), USED)
RULES = Rules(daily_spend_usd=2.0)
WRITES = Says(0.1, text="It was")


class _Day(NamedTuple):
    calls: int
    usd: float


def day(tx: Tx) -> _Day:
    (only,) = tx.all(Query(sa.select(tables.spend.c.calls, tables.spend.c.usd), _Day))
    return only


async def priced(house: House) -> None:
    house.bench = replace(house.bench, catalog=CATALOG)


@pytest.mark.parametrize(
    ("script", "usd"),
    [
        ([WRITES, rejected("content_rejected", "the filter")], EXPECTED_USD),
        ([WRITES, rejected("unavailable", "overloaded")], EXPECTED_USD),
        ([WRITES, FILTERED], 0.05),
        ([NO_WORD], 0.05),
    ],
)
def test_a_paid_text_that_breaks_off_has_cost_what_is_known_or_was_expected(
    database: Database, tmp_path: Path, script: list[Step], usd: float
) -> None:
    async def scenario(house: House) -> None:
        await priced(house)
        await (await house.attempt(**TEXT)).run()
        seen = await house.look()
        assert (seen.call.state, seen.row.captured) == ("failed", 0)
        assert seen.call.cost_usd == pytest.approx(usd)
        assert await house.database.read(day) == (1, pytest.approx(EXPECTED_USD))

    play(database, tmp_path, ScriptedProvider(script, repeatable=False), scenario, rules=RULES)


def test_a_paid_text_that_its_user_stops_has_cost_what_was_expected(database: Database, tmp_path: Path) -> None:
    waits = Waits()
    provider = ScriptedProvider([WRITES, waits, Says(0.2, text="It was a"), STOPPED], repeatable=False)

    async def scenario(house: House) -> None:
        await priced(house)
        attempt = await house.attempt(**TEXT)
        running = asyncio.create_task(attempt.run())
        await waits.reached.wait()
        await house.database.write(cancel, "a", "ann")
        attempt.hear(Standing(held=True, cancel_requested=True))
        waits.let_go.set()
        await running
        seen = await house.look()
        assert (seen.row.status, seen.call.state, seen.row.captured) == ("canceled", "failed", 0)
        assert seen.call.cost_usd == pytest.approx(EXPECTED_USD)
        assert await house.database.read(day) == (1, pytest.approx(EXPECTED_USD))

    play(database, tmp_path, provider, scenario, rules=RULES)


@pytest.mark.parametrize(("repeatable", "script"), [(False, [rejected("unavailable")]), (True, [WRITES, FILTERED])])
def test_what_was_never_begun_or_is_free_has_cost_nothing(
    database: Database, tmp_path: Path, repeatable: bool, script: list[Step]
) -> None:
    async def scenario(house: House) -> None:
        await priced(house)
        await (await house.attempt(**TEXT)).run()
        seen = await house.look()
        assert (seen.call.state, seen.call.cost_usd) == ("failed", 0.0)

    play(database, tmp_path, ScriptedProvider(script, repeatable=repeatable), scenario, rules=RULES)


def test_an_end_that_nobody_understands_is_not_paid_twice_where_it_has_used_something(
    database: Database, tmp_path: Path
) -> None:
    unknown = Rejected(ProviderError(ErrorClass.PROTOCOL, "ended by 'boredom'", "unknown_reason"), USED)

    async def scenario(house: House) -> None:
        await priced(house)
        await (await house.attempt(**TEXT)).run()
        seen = await house.look()
        assert (seen.row.status, seen.error["code"], seen.call.state) == ("failed", "protocol", "failed")
        assert seen.call.cost_usd == pytest.approx(0.05)

    play(database, tmp_path, ScriptedProvider([unknown], repeatable=False), scenario, rules=RULES)
