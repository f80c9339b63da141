"""A worker looks after calls whose job has ended: it stops or polls them, keeps what they bring, and charges nobody."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from safelight.domain.outcomes import Pending
from safelight.services import aftercare as rows
from safelight.services import sweep
from safelight.services.hear import News, hear
from safelight.services.read_jobs import job_details
from safelight.store.database import Database
from safelight.testing.providers import ScriptedProvider, Step, Waits, done, rejected
from safelight.worker import aftercare as aftercare_module
from safelight.worker.aftercare import Aftercare
from tests.integration.services.scene import turn_back, turn_back_call
from tests.integration.worker.house import House, Look, lose_first_worker, play


async def overdue(house: House, *, remote_id: str | None) -> None:
    """Job `a` failed at its deadline while its paid call was open."""
    await lose_first_worker(house, remote_id=remote_id)
    number = (await house.look()).row.number
    await house.database.write(lambda tx: turn_back(tx, number, "deadline_at"))
    assert await house.database.write(sweep.expire) == 1


async def look_again_now(house: House) -> Look:
    """The call's next look has come, and what became of it."""
    call_id = (await house.look()).call.id
    await house.database.write(rows.look_again, call_id, 0.0)
    assert await Aftercare(house.bench).run_once() == 1
    return await house.look()


def test_the_provider_is_told_once_to_stop_and_what_it_made_all_the_same_is_kept(
    database: Database, tmp_path: Path
) -> None:
    provider = ScriptedProvider(repeatable=False)
    provider.remember("r-1", Pending("r-1"), Pending("r-1"), done(cost_usd=0.4))

    async def scenario(house: House) -> None:
        await overdue(house, remote_id="r-1")
        assert await Aftercare(house.bench).run_once() == 1
        assert (await house.look()).call.state == "accepted"
        assert await Aftercare(house.bench).run_once() == 0, "it is looked at again only later"
        await look_again_now(house)
        seen = await look_again_now(house)
        assert provider.canceled == ["r-1"]
        assert (seen.call.state, seen.call.cost_usd, seen.call.check_at) == ("succeeded", 0.4, None)
        assert [asset.recovered for asset in seen.assets] == [True]
        assert await house.bench.store.head(seen.assets[0].key)
        assert (seen.row.status, seen.row.captured) == ("failed", 0)
        details = await house.database.read(job_details, "a", "ann")
        assert details is not None
        assert details.assets == ()

    play(database, tmp_path, provider, scenario)


def test_a_call_that_the_provider_calls_failed_is_over(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider(repeatable=False)
    provider.remember("r-1", rejected("unavailable", "it was stopped"))

    async def scenario(house: House) -> None:
        await overdue(house, remote_id="r-1")
        await Aftercare(house.bench).run_once()
        seen = await house.look()
        assert (seen.call.state, seen.call.error, seen.call.check_at) == ("failed", "it was stopped", None)

    play(database, tmp_path, provider, scenario)


def test_a_call_without_a_remote_id_is_looked_for_and_then_polled(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider(repeatable=False)

    async def scenario(house: House) -> None:
        await overdue(house, remote_id=None)
        await Aftercare(house.bench).run_once()
        assert (await house.look()).call.state == "unknown"
        provider.findable["c-1"] = "r-1"
        provider.remember("r-1", done())
        seen = await look_again_now(house)
        assert (seen.call.state, seen.call.remote_id) == ("accepted", "r-1")
        assert await Aftercare(house.bench).run_once() == 1, "there is something to ask for now"
        assert provider.canceled == ["r-1"]
        assert (await house.look()).call.state == "succeeded"

    play(database, tmp_path, provider, scenario)


def test_after_a_day_nothing_more_is_expected_of_a_provider(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider(repeatable=False)
    provider.remember("r-1", Pending("r-1"))

    async def scenario(house: House) -> None:
        await overdue(house, remote_id="r-1")
        await house.database.write(lambda tx: turn_back_call(tx, "c-1", 90_000.0))
        await Aftercare(house.bench).run_once()
        seen = await house.look()
        assert (seen.call.state, seen.call.check_at) == ("accepted", None)

    play(database, tmp_path, provider, scenario)


def test_a_provider_that_breaks_does_not_keep_the_others_from_being_looked_after(
    database: Database, tmp_path: Path
) -> None:
    provider = ScriptedProvider(repeatable=False)
    provider.remember("r-1", ValueError("garbage"), done())

    async def scenario(house: House) -> None:
        await overdue(house, remote_id="r-1")
        assert await Aftercare(house.bench).run_once() == 1
        assert (await house.look()).call.state == "accepted"
        assert (await look_again_now(house)).call.state == "succeeded"

    play(database, tmp_path, provider, scenario)


@pytest.mark.parametrize("answer", [ValueError("garbage"), Waits()], ids=["breaks", "hangs"])
def test_a_look_that_fails_counts_so_that_looking_ends_after_a_day_too(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Step
) -> None:
    monkeypatch.setattr(aftercare_module, "LOOK_WITHIN_S", 0.05)
    provider = ScriptedProvider(repeatable=False)
    provider.remember("r-1", answer)

    async def scenario(house: House) -> None:
        await overdue(house, remote_id="r-1")
        await house.database.write(lambda tx: turn_back_call(tx, "c-1", 90_000.0))
        assert await Aftercare(house.bench).run_once() == 1
        seen = await house.look()
        assert (seen.call.state, seen.call.check_at) == ("accepted", None)

    play(database, tmp_path, provider, scenario)


def test_news_of_an_ended_jobs_call_are_followed_at_once(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider(repeatable=False)
    provider.remember("r-1", Pending("r-1"), done())

    async def scenario(house: House) -> None:
        await overdue(house, remote_id="r-1")
        loop = asyncio.create_task(Aftercare(house.bench).run())
        while (await house.look()).call.checks_n == 0:
            await house.look()
        while (await house.look()).call.state == "accepted":
            await house.database.write(hear, News("scripted", "r-1"))
        loop.cancel()
        assert (await house.look()).call.state == "succeeded"

    play(database, tmp_path, provider, scenario)
