"""A job that resumes the call of an ended one fetches what was made. It never makes a call: it may cost nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from safelight.domain.outcomes import RemoteState
from safelight.services import calls, sweep
from safelight.services.calls import CallOutcome
from safelight.services.originals import original
from safelight.services.replay import Resume, resume, source_of
from safelight.store.database import Database
from safelight.store.tx import Tx
from safelight.testing.providers import ScriptedProvider, done, rejected
from tests.integration.services.scene import job, turn_back, wish
from tests.integration.worker.house import House, lose_first_worker, play


async def resumed(house: House) -> None:
    """Job `a` failed at its deadline with an accepted call; `b` is to fetch its result."""
    await lose_first_worker(house, remote_id="r-1")
    await house.database.write(_overdue)
    await house.database.write(_resume)


def _overdue(tx: Tx) -> None:
    turn_back(tx, job(tx, "a").number, "deadline_at")
    assert sweep.expire(tx) == 1


def _resume(tx: Tx) -> None:
    found = original(tx, "a", "ann")
    assert found is not None
    source = source_of(tx, found.number)
    assert source is not None
    submission = replace(wish("b"), replay_of=found.number, resumed_call=source.id)
    resume(tx, Resume(found, source, submission, "call-b"))


def test_what_the_provider_kept_is_fetched_and_paid_by_the_user_once(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider(repeatable=False)
    provider.remember("r-1", done())

    async def scenario(house: House) -> None:
        await resumed(house)
        await house.run_again()
        seen = await house.look("b")
        assert (seen.row.status, seen.row.captured, len(seen.assets)) == ("completed", 10, 1)
        assert (provider.generations, provider.polled) == ([], ["r-1"])

    play(database, tmp_path, provider, scenario)


@pytest.mark.parametrize("answer", [rejected("unavailable"), rejected("rate_limited"), rejected("invalid_request")])
def test_when_nothing_can_be_fetched_the_job_fails_and_makes_no_call_of_its_own(
    database: Database, tmp_path: Path, answer: RemoteState
) -> None:
    provider = ScriptedProvider(repeatable=False)
    provider.remember("r-1", answer)

    async def scenario(house: House) -> None:
        await resumed(house)
        await house.run_again()
        seen = await house.look("b")
        assert (seen.row.status, seen.row.captured) == ("failed", 0)
        assert provider.generations == []

    play(database, tmp_path, provider, scenario)


def test_a_call_that_ended_before_it_could_be_resumed_is_not_made_again(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider(repeatable=False)

    async def scenario(house: House) -> None:
        await resumed(house)
        assert await house.database.write(calls.end_call, CallOutcome("call-b", "failed", error="late news"))
        await house.run_again()
        seen = await house.look("b")
        assert (seen.row.status, seen.error["code"], provider.generations) == ("failed", "unavailable", [])

    play(database, tmp_path, provider, scenario)
