"""Nobody knows whether the provider accepted a call: what is found of it is taken, and a second one is not made."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from safelight.catalog.catalog import Catalog
from safelight.catalog.model import Route
from safelight.domain.outcomes import Pending
from safelight.domain.unknown import UnknownPolicy
from safelight.providers.protocol import NotSent
from safelight.services.cancel import cancel
from safelight.services.credits import balance_of
from safelight.services.hand_back import Return, hand_back
from safelight.services.hear import News, hear
from safelight.services.sweep import make_ready
from safelight.store.database import Database
from safelight.testing.providers import ScriptedProvider, Waits, done
from safelight.worker.attempt import Attempt
from safelight.worker.bench import Pace, Rules
from safelight.worker.deliver import Delivery
from safelight.worker.finishing import Origin
from tests.integration.services.scene import turn_back
from tests.integration.worker.house import MODEL, PATIENCE_S, House, lose_first_worker, play


async def due_now(house: House, name: str = "a") -> None:
    """Its next look has come."""
    number = (await house.look(name)).row.number
    await house.database.write(lambda tx: turn_back(tx, number, "due_at"))


async def store_files(house: House, pictures: int, call: str = "c-1", *, leave_out: int = 0) -> None:
    """What the first worker had stored when it was lost, just before its finish."""
    origin = Origin("a", call, "scripted", MODEL.id, "a cat", {}, MODEL.ai_generated)
    bench, outputs = house.bench, done(pictures).outputs[leave_out:]
    await Delivery(bench.store, bench.fetching, origin, outputs).bring(PATIENCE_S)


def test_a_call_cut_off_is_looked_for_again_without_using_an_attempt(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider([ConnectionResetError("cut")], repeatable=False)

    async def scenario(house: House) -> None:
        await (await house.attempt()).run()
        seen = await house.look()
        assert (seen.row.status, seen.row.resumes, seen.row.attempt, seen.call.state) == ("pending", True, 0, "unknown")
        await due_now(house)
        await house.run_again()
        seen = await house.look()
        assert (seen.row.status, len(provider.generations)) == ("pending", 1)
        assert provider.looked_for == [seen.call.id]

    play(database, tmp_path, provider, scenario)


def test_a_call_that_the_provider_finds_is_polled_and_delivered(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider(repeatable=False)
    provider.findable["c-1"] = "r-7"
    provider.remember("r-7", done(cost_usd=0.2))

    async def scenario(house: House) -> None:
        await lose_first_worker(house, remote_id=None)
        await house.run_again()
        seen = await house.look()
        assert (seen.row.status, seen.call.state, seen.call.remote_id) == ("completed", "succeeded", "r-7")
        assert provider.generations == []

    play(database, tmp_path, provider, scenario)


def test_files_that_were_stored_before_a_lost_finish_are_delivered_without_asking_anybody(
    database: Database, tmp_path: Path
) -> None:
    provider = ScriptedProvider(repeatable=False)

    async def scenario(house: House) -> None:
        await lose_first_worker(house, remote_id=None)
        await store_files(house, 1)
        await house.run_again()
        seen = await house.look()
        assert (seen.row.status, seen.row.captured, seen.call.state) == ("completed", 10, "succeeded")
        assert (provider.generations, provider.polled, provider.looked_for) == ([], [], [])
        (asset,) = seen.assets
        assert len(await house.bench.store.get(asset.key)) == asset.bytes
        assert await house.bench.store.head(asset.thumbnail_key)

    play(database, tmp_path, provider, scenario)


def test_a_file_that_a_power_cut_left_short_is_no_delivery(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider(repeatable=False)

    async def scenario(house: House) -> None:
        await lose_first_worker(house, remote_id=None)
        await store_files(house, 1)
        (stored,) = [o.key async for o in house.bench.store.list("assets/a") if not o.key.endswith("thumb.webp")]
        path = tmp_path / stored
        path.write_bytes(path.read_bytes()[:-10])
        await house.run_again()
        assert (await house.look()).row.status == "pending"

    play(database, tmp_path, provider, scenario)


def test_when_the_time_for_looking_is_over_what_was_stored_is_delivered_and_only_that_is_paid(
    database: Database, tmp_path: Path
) -> None:
    provider = ScriptedProvider(repeatable=False)

    async def scenario(house: House) -> None:
        await lose_first_worker(house, remote_id=None, outputs=3, price=30)
        await store_files(house, 2)
        await house.run_again()
        seen = await house.look()
        assert (seen.row.status, seen.row.captured, len(seen.assets)) == ("completed", 20, 2)

    play(database, tmp_path, provider, scenario, rules=Rules(UnknownPolicy.RECONCILE, reconcile_s=0.0))


def test_an_output_that_two_workers_stored_in_other_bytes_is_one(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider(repeatable=False)

    async def scenario(house: House) -> None:
        await lose_first_worker(house, remote_id=None, outputs=2, price=20)
        await store_files(house, 1)
        await store_files(house, 2, leave_out=1)
        await house.run_again()
        seen = await house.look()
        assert (seen.row.status, seen.row.captured, [asset.n for asset in seen.assets]) == ("completed", 10, [0])

    play(database, tmp_path, provider, scenario, rules=Rules(UnknownPolicy.RECONCILE, reconcile_s=0.0))


def test_a_call_that_is_not_found_in_time_fails_its_job_and_gives_the_credits_back(
    database: Database, tmp_path: Path
) -> None:
    provider = ScriptedProvider(repeatable=False)

    async def scenario(house: House) -> None:
        await lose_first_worker(house, remote_id=None)
        await house.run_again()
        seen = await house.look()
        assert (seen.row.status, seen.error["code"], provider.generations) == ("failed", "provider_unknown", [])
        assert (seen.call.state, seen.call.check_at is not None) == ("unknown", True)
        assert (await house.database.read(balance_of, "ann")).available == 1_000

    play(database, tmp_path, provider, scenario, rules=Rules(UnknownPolicy.RECONCILE, reconcile_s=0.0))


def test_an_operator_who_accepts_paying_twice_gets_one_more_call_and_no_third(
    database: Database, tmp_path: Path
) -> None:
    provider = ScriptedProvider([ConnectionResetError("cut")], [ConnectionResetError("again")], repeatable=False)

    async def scenario(house: House) -> None:
        await (await house.attempt()).run()
        await house.run_again()
        seen = await house.look()
        assert [(call.state, call.given_up_at is not None) for call in seen.calls] == [
            ("unknown", True),
            ("unknown", False),
        ]
        await house.run_again()
        seen = await house.look()
        assert (seen.row.status, seen.error["code"]) == ("failed", "provider_unknown")
        assert len(provider.generations) == 2

    play(database, tmp_path, provider, scenario, rules=Rules(UnknownPolicy.RETRY_ONCE))


def test_a_provider_that_makes_each_call_id_once_is_simply_asked_again_under_the_same_id(
    database: Database, tmp_path: Path
) -> None:
    provider = ScriptedProvider([ConnectionResetError("cut")], [done()], repeatable=False, idempotent=True)

    async def scenario(house: House) -> None:
        await (await house.attempt()).run()
        await due_now(house)
        await house.run_again()
        seen = await house.look()
        assert (seen.row.status, seen.call.state) == ("completed", "succeeded")
        assert provider.call_ids == [seen.call.id] * 2

    play(database, tmp_path, provider, scenario)


def test_a_request_that_was_certainly_not_sent_is_made_again_and_not_looked_for(
    database: Database, tmp_path: Path
) -> None:
    provider = ScriptedProvider([NotSent("no connection")], [done()], repeatable=False)

    async def scenario(house: House) -> None:
        await (await house.attempt()).run()
        seen = await house.look()
        assert (seen.row.resumes, seen.call.state, seen.call.cost_usd) == (False, "failed", 0.0)
        await due_now(house)
        await house.database.write(make_ready)
        await house.run_again()
        assert (await house.look()).row.status == "completed"

    play(database, tmp_path, provider, scenario)


def test_a_zombie_leaves_its_files_to_its_successor_who_makes_no_second_call(
    database: Database, tmp_path: Path
) -> None:
    waits = Waits()
    provider = ScriptedProvider([waits, done()], repeatable=False)

    async def scenario(house: House) -> None:
        attempt = await house.attempt()
        zombie = asyncio.create_task(attempt.run())
        await waits.reached.wait()
        job = attempt.job
        await house.database.write(hand_back, Return(job.number, job.fence, "lost", 0, False))
        waits.let_go.set()
        await zombie
        assert (await house.look()).row.status == "pending"
        await house.run_again()
        seen = await house.look()
        assert (seen.row.status, len(seen.assets), seen.call.state) == ("completed", 1, "succeeded")
        assert len(provider.generations) == 1

    play(database, tmp_path, provider, scenario)


def test_a_job_to_be_canceled_whose_call_is_unknown_ends_and_the_call_is_looked_after(
    database: Database, tmp_path: Path
) -> None:
    provider = ScriptedProvider(repeatable=False)

    async def scenario(house: House) -> None:
        await lose_first_worker(house, remote_id=None)
        await house.database.write(cancel, "a", "ann")
        await house.run_again()
        seen = await house.look()
        assert (seen.row.status, seen.call.state, seen.call.check_at is not None) == ("canceled", "unknown", True)

    play(database, tmp_path, provider, scenario)


def test_a_provider_that_says_by_itself_that_it_is_done_is_asked_at_once(database: Database, tmp_path: Path) -> None:
    waits = Waits()
    provider = ScriptedProvider([waits, Pending("r-1"), done()], repeatable=False)

    async def scenario(house: House) -> None:
        attempt = await house.attempt()
        running = asyncio.create_task(attempt.run())
        await waits.reached.wait()
        waits.let_go.set()
        while not await house.database.write(hear, News("scripted", "r-1")):
            await house.look()  # it was not accepted yet
        await running
        assert (await house.look()).row.status == "completed"

    play(database, tmp_path, provider, scenario, pace=Pace(poll_every_s=PATIENCE_S))


def test_beyond_the_daily_ceiling_no_call_is_made_and_the_job_waits(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider(repeatable=False)
    route = Route(provider="scripted", model="m-1", cost_usd=0.6)
    catalog = Catalog((MODEL.model_copy(update={"routes": (route,)}),))

    async def scenario(house: House) -> None:
        house.bench = replace(house.bench, catalog=catalog)
        await house.submit("a", "b")
        for taken in await house.claim(2):
            await Attempt(house.bench, taken).run()
        seen = [await house.look(name) for name in ("a", "b")]
        assert sorted(look.row.status for look in seen) == ["completed", "pending"]
        (made,) = [call for look in seen for call in look.calls]
        assert made.cost_usd == 0.6
        waiting = next(look for look in seen if look.row.status == "pending")
        assert (waiting.last_payload["code"], waiting.row.attempt) == ("spend_ceiling", 0)
        assert "$0.60 of $1.00 are spent today; the call is expected to cost $0.60" in waiting.last_payload["reason"]
        assert waiting.row.waiting_for is None, "it waits for itself: cheaper calls pass the gate"
        assert house.bench.gates.shut == {}

    play(database, tmp_path, provider, scenario, rules=Rules(daily_spend_usd=1.0))
