"""A resumed job in a worker's hands: the provider is asked for the old call, and never for a new one."""

from __future__ import annotations

from pathlib import Path

from safelight.services import sweep
from safelight.services.submission import Submitted
from safelight.store.database import Database
from safelight.store.tx import Tx
from safelight.testing.providers import ScriptedProvider, done
from tests.integration.services.scene import job, turn_back
from tests.integration.services.test_replay import resumed
from tests.integration.worker.house import House, lose_first_worker, play


def test_a_resumed_job_fetches_what_the_old_call_made(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider(repeatable=False)

    async def scenario(house: House) -> None:
        await lose_first_worker(house, remote_id="r-9", price=30)
        await house.database.write(lambda tx: run_out_of_time(tx, "a"))
        provider.remember("r-9", done())
        assert await house.database.write(lambda tx: resumed(tx, "a", "b")) == Submitted("b")
        await house.run_again()
        seen = await house.look("b")
        assert (seen.row.status, seen.row.captured, len(seen.assets)) == ("completed", 30, 1)
        assert (seen.call.id, seen.call.state, seen.call.remote_id) == ("call-b", "succeeded", "r-9")
        assert (provider.polled, provider.call_ids) == (["r-9"], [])
        assert (await house.look("a")).row.status == "failed"

    play(database, tmp_path, provider, scenario)


def run_out_of_time(tx: Tx, name: str) -> None:
    turn_back(tx, job(tx, name).number, "deadline_at")
    assert sweep.expire(tx) == 1
