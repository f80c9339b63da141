"""A provider's own name for a request: kept with the call, and shown with the error of a job."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from safelight.domain.jobs import Status
from safelight.domain.outcomes import Done, ErrorClass, ProviderError, Rejected
from safelight.services.finish import Ending, finish
from safelight.store.database import Database
from safelight.testing.providers import ScriptedProvider, Waits, done
from safelight.worker.aftercare import Aftercare
from tests.integration.worker.house import House, play
from tests.integration.worker.test_aftercare_loop import overdue

REQUEST = "req_011CSHoEeqs5C35K2UUqR7Fy"
REFUSED = Rejected(ProviderError(ErrorClass.INVALID_REQUEST, "too long", "E1", request_id=REQUEST))
DELIVERED = replace(done(), request_id=REQUEST)


def test_of_a_refused_call_the_job_and_the_call_name_it(database: Database, tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        await (await house.attempt()).run()
        seen = await house.look()
        assert (seen.call.state, seen.call.provider_request_id) == ("failed", REQUEST)
        assert seen.error["provider_request_id"] == REQUEST

    play(database, tmp_path, ScriptedProvider([REFUSED], repeatable=False), scenario)


def test_of_a_delivered_call_it_is_kept(database: Database, tmp_path: Path) -> None:
    async def scenario(house: House) -> None:
        await (await house.attempt()).run()
        seen = await house.look()
        assert (seen.row.status, seen.call.provider_request_id) == ("completed", REQUEST)

    play(database, tmp_path, ScriptedProvider([DELIVERED], repeatable=False), scenario)


def test_a_call_whose_job_lives_on_elsewhere_or_has_ended_keeps_it_too(database: Database, tmp_path: Path) -> None:
    waits = Waits()
    provider = ScriptedProvider([waits, Done(text="Once upon", request_id=REQUEST)], repeatable=False)

    async def scenario(house: House) -> None:
        attempt = await house.attempt(kind="text")
        zombie = asyncio.create_task(attempt.run())
        await waits.reached.wait()
        job = attempt.job
        await house.database.write(finish, Ending(job.number, job.fence, Status.FAILED, error="{}"))
        waits.let_go.set()
        await zombie
        seen = await house.look()
        assert (seen.call.state, seen.call.provider_request_id) == ("succeeded", REQUEST)

    play(database, tmp_path, provider, scenario)


@pytest.mark.parametrize(("answer", "state"), [(REFUSED, "failed"), (DELIVERED, "succeeded")])
def test_what_is_heard_of_a_call_after_its_job_keeps_it(
    database: Database, tmp_path: Path, answer: Done | Rejected, state: str
) -> None:
    provider = ScriptedProvider(repeatable=False)
    provider.remember("r-1", answer)

    async def scenario(house: House) -> None:
        await overdue(house, remote_id="r-1")
        assert await Aftercare(house.bench).run_once() == 1
        seen = await house.look()
        assert (seen.call.state, seen.call.provider_request_id) == (state, REQUEST)

    play(database, tmp_path, provider, scenario)
