"""Text jobs: what is written shows while it grows, is paid when it is stored, and is free where it breaks off."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from safelight.domain.jobs import Status
from safelight.domain.outcomes import Done
from safelight.services.cancel import cancel
from safelight.services.credits import balance_of
from safelight.services.finish import Ending, finish
from safelight.services.hand_back import Return, hand_back
from safelight.services.progress import Standing
from safelight.store.database import Database
from safelight.testing.providers import Says, ScriptedProvider, Waits, rejected
from tests.integration.worker.house import House, play

TEXT: dict[str, Any] = {"kind": "text", "price": 12}
TERMS = '{"per":"token","input_per_million":200.0,"output_per_million":1000.0}'


def test_a_text_grows_on_the_row_and_is_delivered_and_paid_when_stored(database: Database, tmp_path: Path) -> None:
    waits = Waits()
    provider = ScriptedProvider([Says(0.2, text="Once"), waits, Done(text="Once upon a time.", cost_usd=0.01)])

    async def scenario(house: House) -> None:
        running = asyncio.create_task((await house.attempt(**TEXT)).run())
        await waits.reached.wait()
        half = await house.look()
        assert (half.row.status, half.row.text, half.row.progress, half.row.captured) == ("processing", "Once", 0.2, 0)
        waits.let_go.set()
        await running
        seen = await house.look()
        assert seen.at_rest
        assert (seen.row.status, seen.row.text, seen.row.captured) == ("completed", "Once upon a time.", 12)
        assert (seen.row.stage, seen.row.progress, list(seen.assets)) == ("delivered", 1.0, [])
        assert (seen.call.state, seen.call.cost_usd) == ("succeeded", 0.01)

    play(database, tmp_path, provider, scenario)


def test_of_a_price_by_use_what_was_used_is_paid_on_the_terms_of_its_submission(
    database: Database, tmp_path: Path
) -> None:
    told = [({"input_tokens": 1000, "output_tokens": 2800}, 3), ({"output_tokens": 10**9}, 12), ({}, 1)]
    provider = ScriptedProvider(*([Done(text="Once upon a time.", usage=usage)] for usage, _ in told))

    async def scenario(house: House) -> None:
        for n, (usage, paid) in enumerate(told):
            await (await house.attempt(f"job-{n}", **TEXT, terms=TERMS)).run()
            seen = await house.look(f"job-{n}")
            assert (seen.row.status, seen.row.captured) == ("completed", paid), usage
        assert (await house.database.read(balance_of, "ann")).held == 0

    play(database, tmp_path, provider, scenario)


def test_a_text_is_written_at_most_once_a_second_and_the_newest_wins(database: Database, tmp_path: Path) -> None:
    waits = Waits()
    words = [Says(n / 100, text="x" * n) for n in range(1, 60)]
    provider = ScriptedProvider([*words, waits, Done(text="x" * 60)])

    async def scenario(house: House) -> None:
        attempt = await house.attempt(**TEXT)
        running = asyncio.create_task(attempt.run())
        await waits.reached.wait()
        half = await house.look()
        assert half.row.sequence - attempt.job.sequence <= 3  # one for the call, one or two for 59 words
        assert half.row.text in {"x" * n for n in range(1, 60)}
        waits.let_go.set()
        await running
        assert (await house.look()).row.text == "x" * 60

    play(database, tmp_path, provider, scenario)


def test_a_text_that_breaks_off_stays_visible_whole_and_costs_nothing(database: Database, tmp_path: Path) -> None:
    parts = [Says(0.1, text="It was"), Says(0.2, text="It was a dark"), rejected("content_rejected", "the filter")]
    provider = ScriptedProvider(parts, repeatable=False)

    async def scenario(house: House) -> None:
        await (await house.attempt(**TEXT)).run()
        seen = await house.look()
        assert seen.at_rest
        assert (seen.row.status, seen.row.text, seen.row.captured) == ("failed", "It was a dark", 0)
        assert seen.error["message"] == "the filter"
        assert (await house.database.read(balance_of, "ann")).held == 0

    play(database, tmp_path, provider, scenario)


def test_an_end_that_nobody_understands_is_not_written_and_paid_again(database: Database, tmp_path: Path) -> None:
    parts = [Says(0.1, text="It was"), rejected("protocol", "ended for a reason nobody knows: 'boredom'")]
    provider = ScriptedProvider(parts, repeatable=False)

    async def scenario(house: House) -> None:
        await (await house.attempt(**TEXT)).run()
        seen = await house.look()
        assert (seen.row.status, seen.error["code"], seen.call.state) == ("failed", "protocol", "failed")
        assert "boredom" in seen.error["message"]

    play(database, tmp_path, provider, scenario)


def test_a_stream_that_is_cut_leaves_the_call_unknown_and_is_not_made_again(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider([Says(0.1, text="It was"), ConnectionError("cut")], repeatable=False)

    async def scenario(house: House) -> None:
        await (await house.attempt(**TEXT)).run()
        seen = await house.look()
        assert (seen.row.status, seen.call.state, seen.row.text) == ("pending", "unknown", "It was")
        assert len(provider.call_ids) == 1

    play(database, tmp_path, provider, scenario)


def test_a_canceled_text_stops_at_the_next_word_and_keeps_what_was_written(database: Database, tmp_path: Path) -> None:
    waits = Waits()
    provider = ScriptedProvider([Says(0.1, text="It"), waits, Says(0.2, text="It was"), Says(0.3, text="It was a")])

    async def scenario(house: House) -> None:
        attempt = await house.attempt(**TEXT)
        running = asyncio.create_task(attempt.run())
        await waits.reached.wait()
        await house.database.write(cancel, "a", "ann")
        attempt.hear(Standing(held=True, cancel_requested=True))
        waits.let_go.set()
        await running
        seen = await house.look()
        assert (seen.row.status, seen.row.text, seen.row.captured) == ("canceled", "It was", 0)
        assert provider.answers == [True, False]

    play(database, tmp_path, provider, scenario)


def test_a_text_that_a_drain_breaks_off_is_not_written_and_paid_again(database: Database, tmp_path: Path) -> None:
    waits = Waits()
    provider = ScriptedProvider([Says(0.1, text="It"), waits, Says(0.2, text="It was")], repeatable=False)

    async def scenario(house: House) -> None:
        attempt = await house.attempt(**TEXT)
        running = asyncio.create_task(attempt.run())
        await waits.reached.wait()
        attempt.drain()
        waits.let_go.set()
        await running
        seen = await house.look()
        assert (seen.row.status, seen.row.attempt, seen.row.text) == ("pending", 0, "It was")
        assert seen.call.state == "unknown"

    play(database, tmp_path, provider, scenario)


def test_a_text_that_comes_after_its_worker_lost_the_job_is_delivered_by_the_next_and_not_written_again(
    database: Database, tmp_path: Path
) -> None:
    waits = Waits()
    provider = ScriptedProvider([Says(0.1, text="Once"), waits, Done(text="Once upon")], repeatable=False)

    async def scenario(house: House) -> None:
        attempt = await house.attempt(**TEXT)
        zombie = asyncio.create_task(attempt.run())
        await waits.reached.wait()
        job = attempt.job
        await house.database.write(hand_back, Return(job.number, job.fence, "lost", 0, False))
        waits.let_go.set()
        await zombie
        late = await house.look()
        assert (late.row.status, late.row.text, late.row.captured, late.call.text) == (
            "pending",
            "Once",
            0,
            "Once upon",
        )
        await house.run_again()
        seen = await house.look()
        assert seen.at_rest
        assert (seen.row.status, seen.row.text, seen.row.captured) == ("completed", "Once upon", 12)
        assert (seen.call.state, len(provider.generations)) == ("succeeded", 1)

    play(database, tmp_path, provider, scenario)


def test_a_text_that_comes_late_costs_its_user_and_us_what_it_has_used(database: Database, tmp_path: Path) -> None:
    waits = Waits()
    usage = {"input_tokens": 1000, "output_tokens": 2800}
    late = Done(text="Once upon", usage=usage, cost_usd=0.02, cut_short=True, request_id="req_1")
    provider = ScriptedProvider([Says(0.1, text="Once"), waits, late], repeatable=False)

    async def scenario(house: House) -> None:
        attempt = await house.attempt(**TEXT, terms=TERMS)
        zombie = asyncio.create_task(attempt.run())
        await waits.reached.wait()
        job = attempt.job
        await house.database.write(hand_back, Return(job.number, job.fence, "lost", 0, False))
        waits.let_go.set()
        await zombie
        assert (await house.look()).row.status == "pending"
        await house.run_again()
        seen = await house.look()
        assert (seen.row.status, seen.row.captured, bool(seen.row.cut_short)) == ("completed", 3, True)
        assert (seen.call.state, seen.call.cost_usd, seen.call.provider_request_id) == ("succeeded", 0.02, "req_1")

    play(database, tmp_path, provider, scenario)


def test_a_text_that_comes_after_its_job_has_ended_is_recorded_and_not_delivered(
    database: Database, tmp_path: Path
) -> None:
    waits = Waits()
    provider = ScriptedProvider([waits, Done(text="Once upon", cost_usd=0.02)], repeatable=False)

    async def scenario(house: House) -> None:
        attempt = await house.attempt(**TEXT)
        zombie = asyncio.create_task(attempt.run())
        await waits.reached.wait()
        job = attempt.job
        await house.database.write(finish, Ending(job.number, job.fence, Status.FAILED, error="{}"))
        waits.let_go.set()
        await zombie
        seen = await house.look()
        assert (seen.row.status, seen.row.text, seen.row.captured) == ("failed", None, 0)
        assert (seen.call.state, seen.call.cost_usd, seen.call.text) == ("succeeded", 0.02, "Once upon")

    play(database, tmp_path, provider, scenario)


def test_a_provider_that_is_done_without_a_word_has_delivered_nothing(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider([Done(text="")], repeatable=False)

    async def scenario(house: House) -> None:
        await (await house.attempt(**TEXT)).run()
        seen = await house.look()
        assert (seen.row.status, seen.row.captured) == ("failed", 0)
        assert "delivered nothing" in seen.error["message"]

    play(database, tmp_path, provider, scenario)


def test_a_text_that_ends_at_its_users_limit_says_so(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider([Done(text="Once upon", cut_short=True)], [Done(text="Once.")])

    async def scenario(house: House) -> None:
        for name, cut_short in (("a", True), ("b", False)):
            await (await house.attempt(name, **TEXT)).run()
            seen = await house.look(name)
            assert (seen.row.status, bool(seen.row.cut_short)) == ("completed", cut_short)

    play(database, tmp_path, provider, scenario)


def test_characters_that_no_database_takes_are_replaced(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider([Says(0.1, text="a\x00"), Done(text="a\x00b\ud800c\n\td")])

    async def scenario(house: House) -> None:
        await (await house.attempt(**TEXT)).run()
        assert (await house.look()).row.text == "a\ufffdb\ufffdc\n\td"

    play(database, tmp_path, provider, scenario)
