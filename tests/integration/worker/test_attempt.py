"""One attempt at one job, against a real database and real files, with a provider that plays scripts."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from safelight.catalog.catalog import Catalog
from safelight.catalog.model import Route
from safelight.domain.errors import Remedy, Unavailable
from safelight.domain.outcomes import Done, ErrorClass, Output, Pending, ProviderError, Rejected
from safelight.domain.unknown import UnknownPolicy
from safelight.providers.protocol import Preview
from safelight.services import sweep
from safelight.services.cancel import cancel
from safelight.services.credits import balance_of
from safelight.services.finish import finish
from safelight.services.hand_back import Return, hand_back
from safelight.services.progress import standing
from safelight.services.read_jobs import preview
from safelight.storage.assets import AssetStore
from safelight.storage.provenance import read as read_provenance
from safelight.store.database import Database
from safelight.testing.pictures import tiny_png
from safelight.testing.providers import Says, ScriptedProvider, Waits, done, rejected
from safelight.worker.attempt import Attempt
from safelight.worker.bench import Pace, Rules
from safelight.worker.live_call import LiveCall
from tests.integration.services.scene import turn_back
from tests.integration.worker.house import MODEL, House, lose_first_worker, play


def test_a_job_becomes_a_stored_picture_that_is_paid_for(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider([Says(0.5, Preview(b"half", "image/webp")), done(2, cost_usd=0.04)])

    async def scenario(house: House) -> None:
        await (await house.attempt(outputs=2, price=20)).run()
        seen = await house.look()
        assert seen.at_rest
        assert (seen.row.status, seen.row.captured, seen.row.attempt) == ("completed", 20, 1)
        assert seen.told == ["submitted", "started", "completed"]
        assert (seen.call.state, seen.call.cost_usd, seen.call.provider, seen.call.model) == (
            "succeeded",
            0.04,
            "scripted",
            "m-1",
        )
        assert provider.call_ids == [seen.call.id]
        assert [(asset.n, asset.call, asset.width) for asset in seen.assets] == [(n, seen.call.id, 8) for n in (0, 1)]
        for asset in seen.assets:
            stored = await house.bench.store.get(asset.key)
            assert len(stored) == asset.bytes
            assert await house.bench.store.head(asset.thumbnail_key)
        assert await house.database.read(preview, "a") is None

    play(database, tmp_path, provider, scenario)


def test_the_provider_gets_the_models_own_name_and_the_params_and_a_preview_is_shown_meanwhile(
    database: Database, tmp_path: Path
) -> None:
    waits = Waits()
    provider = ScriptedProvider([Says(0.25, Preview(b"half", "image/webp")), waits, done()])

    async def scenario(house: House) -> None:
        running = asyncio.create_task((await house.attempt(prompt="a fox", params='{"width":8}')).run())
        await waits.reached.wait()
        (generation,) = provider.generations
        assert (generation.model, generation.prompt, generation.params) == ("m-1", "a fox", {"width": 8})
        seen = await house.look()
        assert (seen.row.stage, seen.row.progress, seen.call.state) == ("running", 0.25, "sending")
        assert await house.database.read(preview, "a") is not None
        waits.let_go.set()
        await running

    play(database, tmp_path, provider, scenario)


def test_more_outputs_than_asked_for_are_not_charged_and_fewer_are_charged_in_part(
    database: Database, tmp_path: Path
) -> None:
    provider = ScriptedProvider([done(3)], [done(1)])

    async def scenario(house: House) -> None:
        await (await house.attempt("more", outputs=1, price=9)).run()
        await (await house.attempt("fewer", outputs=2, price=9)).run()
        more, fewer = await house.look("more"), await house.look("fewer")
        assert (len(more.assets), more.row.captured) == (1, 9)
        assert (len(fewer.assets), fewer.row.captured, fewer.row.status) == (1, 4, "completed")

    play(database, tmp_path, provider, scenario)


def test_an_error_that_cannot_get_better_fails_the_job_with_the_providers_own_words(
    database: Database, tmp_path: Path
) -> None:
    provider = ScriptedProvider([rejected("content_rejected", "because I say so")])

    async def scenario(house: House) -> None:
        await (await house.attempt()).run()
        seen = await house.look()
        assert seen.at_rest
        assert (seen.row.status, seen.error["code"]) == ("failed", "content_rejected")
        assert seen.error["provider"] == "scripted"
        assert (seen.error["message"], seen.error["provider_code"]) == ("because I say so", "code-content_rejected")
        assert seen.error["remedy"]
        assert (seen.call.state, seen.call.error) == ("failed", "because I say so")
        assert (await house.database.read(balance_of, "ann")).held == 0

    play(database, tmp_path, provider, scenario)


def test_an_error_that_can_get_better_is_tried_again_later_and_uses_an_attempt(
    database: Database, tmp_path: Path
) -> None:
    provider = ScriptedProvider([rejected("unavailable", "busy")])

    async def scenario(house: House) -> None:
        attempt = await house.attempt()
        await attempt.run()
        seen = await house.look()
        assert (seen.row.status, seen.row.attempt, seen.row.ready) == ("pending", 1, False)
        assert seen.row.due_at == pytest.approx(attempt.job.claimed_at + 5.0, abs=4.0)
        assert seen.told[-1] == "retrying"
        assert (seen.last_payload["reason"], seen.last_payload["code"]) == ("busy", "unavailable")
        assert (seen.call.state, seen.call.error) == ("failed", "busy")

    play(database, tmp_path, provider, scenario)


def test_a_busy_provider_costs_no_attempt(database: Database, tmp_path: Path) -> None:
    busy = ErrorClass.RATE_LIMITED
    provider = ScriptedProvider([rejected(busy, retry_after_s=100.0)], [rejected(busy, retry_after_s=0.0)])

    async def scenario(house: House) -> None:
        attempt = await house.attempt()
        await attempt.run()
        seen = await house.look()
        assert (seen.row.status, seen.row.attempt) == ("pending", 0)
        assert seen.row.due_at == pytest.approx(attempt.job.claimed_at + 100.0, abs=10.0)
        assert seen.told[-1] == "requeued"
        await due_now(house)
        await house.run_again()
        again = await house.look()
        assert again.row.attempt == 0
        assert not again.row.ready, "asked at once, it would be asked without a pause"

    play(database, tmp_path, provider, scenario)


def test_what_the_provider_says_about_when_to_come_back_wins(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider([rejected("unavailable", retry_after_s=200.0)])

    async def scenario(house: House) -> None:
        attempt = await house.attempt()
        await attempt.run()
        seen = await house.look()
        assert seen.row.due_at == pytest.approx(attempt.job.claimed_at + 200.0, abs=10.0)
        assert seen.row.attempt == 1

    play(database, tmp_path, provider, scenario)


def test_after_the_last_attempt_the_job_fails_and_says_why(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider(*([rejected("unavailable", f"busy {n}")] for n in range(3)))

    async def scenario(house: House) -> None:
        await (await house.attempt()).run()
        for _ in range(2):
            await due_now(house)
            await house.run_again()
        seen = await house.look()
        assert (seen.row.status, seen.row.attempt, seen.error["code"]) == ("failed", 3, "retries_exhausted")
        assert (seen.error["provider_message"], seen.error["retryable"]) == ("busy 2", True)
        assert seen.told == ["submitted", "started", "retrying", "started", "retrying", "started", "failed"]
        assert [call.state for call in seen.calls] == ["failed"] * 3
        assert seen.at_rest

    play(database, tmp_path, provider, scenario)


def test_an_exception_out_of_a_repeatable_provider_is_tried_again(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider([ValueError("garbage")])

    async def scenario(house: House) -> None:
        await (await house.attempt()).run()
        seen = await house.look()
        assert (seen.row.status, seen.row.attempt, seen.call.state) == ("pending", 1, "failed")
        assert "ValueError: garbage" in seen.call.error
        await due_now(house)
        await house.run_again()
        assert (await house.look()).row.status == "completed"

    play(database, tmp_path, provider, scenario)


def test_an_exception_out_of_a_paid_call_leaves_it_unknown_and_is_never_repeated(
    database: Database, tmp_path: Path
) -> None:
    provider = ScriptedProvider([ConnectionResetError("cut")], repeatable=False)

    async def scenario(house: House) -> None:
        await (await house.attempt(price=30)).run()
        seen = await house.look()
        assert seen.at_rest
        assert (seen.row.status, seen.row.captured, seen.error["code"]) == ("failed", 0, "provider_unknown")
        assert "ConnectionResetError: cut" in seen.error["message"]
        assert (seen.call.state, seen.call.ended_at) == ("unknown", None)
        assert len(provider.generations) == 1
        assert (await house.database.read(balance_of, "ann")).available == 1_000

    play(database, tmp_path, provider, scenario, rules=Rules(UnknownPolicy.FAIL_AND_RELEASE))


def test_a_paid_call_that_answers_with_an_error_may_be_made_again(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider([rejected("unavailable")], repeatable=False)

    async def scenario(house: House) -> None:
        await (await house.attempt()).run()
        assert (await house.look()).row.status == "pending"
        await due_now(house)
        await house.run_again()
        seen = await house.look()
        assert (seen.row.status, [call.state for call in seen.calls]) == ("completed", ["failed", "succeeded"])

    play(database, tmp_path, provider, scenario)


def test_a_call_that_was_accepted_is_polled_until_it_is_done(database: Database, tmp_path: Path) -> None:
    waits = Waits()
    provider = ScriptedProvider(
        [Pending("r-1", 0.1), Pending("r-1", 0.4), OSError("the network hiccups"), waits, done(cost_usd=0.5)],
        repeatable=False,
    )

    async def scenario(house: House) -> None:
        running = asyncio.create_task((await house.attempt()).run())
        await waits.reached.wait()
        seen = await house.look()
        assert (seen.call.state, seen.call.remote_id) == ("accepted", "r-1")
        assert seen.row.progress == 0.4
        waits.let_go.set()
        await running
        seen = await house.look()
        assert (seen.row.status, seen.call.state, seen.call.remote_id) == ("completed", "succeeded", "r-1")
        assert set(provider.polled) == {"r-1"}
        assert len(provider.polled) == 3

    play(database, tmp_path, provider, scenario)


def test_a_call_that_fails_while_polled_is_over_and_its_class_decides(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider([Pending("r-1"), rejected("content_rejected", "not that")], repeatable=False)

    async def scenario(house: House) -> None:
        await (await house.attempt()).run()
        seen = await house.look()
        assert (seen.row.status, seen.error["code"], seen.call.state) == ("failed", "content_rejected", "failed")

    play(database, tmp_path, provider, scenario)


def test_a_call_that_an_earlier_worker_left_accepted_is_resumed_by_its_remote_id(
    database: Database, tmp_path: Path
) -> None:
    provider = ScriptedProvider(repeatable=False)
    provider.remember("r-9", done())

    async def scenario(house: House) -> None:
        await lose_first_worker(house, remote_id="r-9")
        await house.run_again()
        seen = await house.look()
        assert (seen.row.status, seen.row.attempt, seen.row.lost_n) == ("completed", 1, 1)
        assert (seen.call.id, seen.call.state, seen.call.remote_id) == ("c-1", "succeeded", "r-9")
        assert (provider.generations, provider.polled) == ([], ["r-9"])

    play(database, tmp_path, provider, scenario)


def test_a_call_that_an_earlier_worker_may_have_made_is_never_repeated(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider(repeatable=False)

    async def scenario(house: House) -> None:
        await lose_first_worker(house, remote_id=None)
        await house.run_again()
        seen = await house.look()
        assert (seen.row.status, seen.error["code"], seen.call.state) == ("failed", "provider_unknown", "unknown")
        assert (provider.generations, provider.polled) == ([], [])

    play(database, tmp_path, provider, scenario, rules=Rules(UnknownPolicy.FAIL_AND_RELEASE))


def test_a_job_to_be_canceled_that_an_earlier_worker_left_is_stopped_at_the_provider(
    database: Database, tmp_path: Path
) -> None:
    provider = ScriptedProvider(repeatable=False)

    async def scenario(house: House) -> None:
        await lose_first_worker(house, remote_id="r-9")
        assert await house.database.write(cancel, "a", "ann") == "processing"
        await house.run_again()
        seen = await house.look()
        assert (seen.row.status, provider.canceled, provider.polled) == ("canceled", ["r-9"], [])
        assert seen.at_rest

    play(database, tmp_path, provider, scenario)


def test_a_running_job_that_is_canceled_stops_at_the_next_report(database: Database, tmp_path: Path) -> None:
    waits = Waits()
    provider = ScriptedProvider([Says(0.1), waits, Says(0.2), done()])

    async def scenario(house: House) -> None:
        running = asyncio.create_task((await house.attempt()).run())
        await waits.reached.wait()
        assert await house.database.write(cancel, "a", "ann") == "processing"
        waits.let_go.set()
        await running
        seen = await house.look()
        assert seen.at_rest
        assert (seen.row.status, seen.call.state, seen.assets) == ("canceled", "failed", [])
        assert provider.answers == [True, False]
        assert seen.told[-2:] == ["cancel_requested", "canceled"]

    play(database, tmp_path, provider, scenario, pace=Pace(stop_grace_s=10.0))


@pytest.mark.parametrize("repeatable", [True, False])
def test_a_canceled_job_whose_provider_never_answers_is_cut_off_after_its_grace(
    database: Database, tmp_path: Path, repeatable: bool
) -> None:
    hangs = Waits()
    provider = ScriptedProvider([hangs], repeatable=repeatable)

    async def scenario(house: House) -> None:
        running = asyncio.create_task((await house.attempt()).run())
        await hangs.reached.wait()
        await house.database.write(cancel, "a", "ann")
        await running
        seen = await house.look()
        assert (seen.row.status, seen.call.state) == ("canceled", "failed" if repeatable else "unknown")
        assert seen.at_rest

    play(database, tmp_path, provider, scenario)


def test_a_canceled_job_that_is_polled_is_stopped_at_the_provider(database: Database, tmp_path: Path) -> None:
    waits = Waits()
    provider = ScriptedProvider([Pending("r-1"), waits, *[Pending("r-1")] * 1_000], repeatable=False)

    async def scenario(house: House) -> None:
        running = asyncio.create_task((await house.attempt()).run())
        await waits.reached.wait()
        await house.database.write(cancel, "a", "ann")
        waits.let_go.set()
        await running
        assert provider.canceled == ["r-1"]
        assert (await house.look()).row.status == "canceled"

    play(database, tmp_path, provider, scenario, pace=Pace(poll_every_s=0.005, stop_grace_s=10.0))


def test_a_job_that_was_delivered_before_it_could_be_canceled_is_kept(database: Database, tmp_path: Path) -> None:
    waits = Waits()
    provider = ScriptedProvider([waits, done()])

    async def scenario(house: House) -> None:
        running = asyncio.create_task((await house.attempt()).run())
        await waits.reached.wait()
        waits.let_go.set()
        await house.database.write(cancel, "a", "ann")
        await running
        assert (await house.look()).row.status == "completed"

    play(database, tmp_path, provider, scenario, pace=Pace(stop_grace_s=10.0))


def test_a_canceled_job_is_not_even_started(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider()

    async def scenario(house: House) -> None:
        attempt = await house.attempt()
        attempt.job = attempt.job._replace(cancel_requested_at=1.0)
        await attempt.run()
        assert (await house.look()).row.status == "canceled"
        assert provider.generations == []

    play(database, tmp_path, provider, scenario)


def test_the_late_result_of_a_job_that_was_taken_away_ends_neither_the_job_nor_its_call(
    database: Database, tmp_path: Path
) -> None:
    waits = Waits()
    provider = ScriptedProvider([waits, Says(0.5), done(cost_usd=0.7)], repeatable=False)

    async def scenario(house: House) -> None:
        attempt = await house.attempt()
        running = asyncio.create_task(attempt.run())
        await waits.reached.wait()
        job = attempt.job
        await house.database.write(hand_back, Return(job.number, job.fence, "lost", 0, False))
        waits.let_go.set()
        await running
        seen = await house.look()
        assert (seen.row.status, seen.row.resumes, seen.assets) == ("pending", True, [])
        assert seen.call.state == "sending", "its successor must find the call open, or it would make another"
        assert provider.answers == [True], "a paid call is not stopped because its job was taken away"

    play(database, tmp_path, provider, scenario)


def test_a_local_call_stops_when_its_job_is_taken_away(database: Database, tmp_path: Path) -> None:
    waits = Waits()
    provider = ScriptedProvider([waits, Says(0.5), done()])

    async def scenario(house: House) -> None:
        attempt = await house.attempt()
        running = asyncio.create_task(attempt.run())
        await waits.reached.wait()
        await house.database.write(hand_back, Return(attempt.job.number, attempt.job.fence, "lost", 0, False))
        waits.let_go.set()
        await running
        assert provider.answers == [False]
        assert (await house.look()).row.status == "pending"

    play(database, tmp_path, provider, scenario, pace=Pace(stop_grace_s=10.0))


def test_nothing_is_sent_for_a_job_that_was_taken_away_before(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider()

    async def scenario(house: House) -> None:
        attempt = await house.attempt()
        await house.database.write(hand_back, Return(attempt.job.number, attempt.job.fence, "lost", 0, False))
        await attempt.run()
        assert provider.generations == []
        assert (await house.look()).calls == []

    play(database, tmp_path, provider, scenario)


def test_files_that_cannot_be_stored_are_made_again_and_then_given_up(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider()

    async def scenario(house: House) -> None:
        attempt = await house.attempt()
        shutil.rmtree(tmp_path / "files")
        (tmp_path / "files").write_text("a file where the folder should be")
        await attempt.run()
        seen = await house.look()
        assert (seen.row.status, seen.told[-1], seen.last_payload["code"]) == ("pending", "retrying", "storage_failed")
        assert (seen.call.state, seen.assets) == ("succeeded", [])
        for _ in range(2):
            await due_now(house)
            await house.run_again()
        seen = await house.look()
        assert (seen.row.status, seen.error["code"], seen.row.captured) == ("failed", "storage_failed", 0)
        assert len(provider.generations) == 3

    play(database, tmp_path / "files", provider, scenario)


def test_a_paid_picture_that_cannot_be_stored_is_not_bought_twice(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider(repeatable=False)

    async def scenario(house: House) -> None:
        attempt = await house.attempt()
        shutil.rmtree(tmp_path / "files")
        (tmp_path / "files").write_text("a file where the folder should be")
        await attempt.run()
        seen = await house.look()
        assert (seen.row.status, seen.error["code"], seen.call.state) == ("failed", "storage_failed", "succeeded")

    play(database, tmp_path / "files", provider, scenario)


SPOILED = {
    "nothing": Done(()),
    "no picture": Done((Output(b"<html>sorry</html>", "image/png"),)),
    "half a picture": Done((Output(tiny_png()[:40], "image/png"),)),
}


@pytest.mark.parametrize(
    ("what", "repeatable"), [("nothing", True), ("nothing", False), ("no picture", False), ("half a picture", True)]
)
def test_a_delivery_of_nothing_usable_is_the_providers_error(
    database: Database, tmp_path: Path, what: str, repeatable: bool
) -> None:
    provider = ScriptedProvider([SPOILED[what]], repeatable=repeatable)

    async def scenario(house: House) -> None:
        await (await house.attempt()).run()
        seen = await house.look()
        assert (seen.call.state, seen.assets, seen.row.captured) == ("succeeded", [], 0)
        if repeatable:
            assert (seen.row.status, seen.last_payload["code"]) == ("pending", "protocol")
        else:
            assert (seen.row.status, seen.error["code"]) == ("failed", "protocol")

    play(database, tmp_path, provider, scenario)


@pytest.mark.parametrize("repeatable", [True, False])
def test_a_job_that_runs_into_its_deadline_fails_in_time(database: Database, tmp_path: Path, repeatable: bool) -> None:
    hangs = Waits()
    provider = ScriptedProvider([Says(0.5), hangs], repeatable=repeatable)

    async def scenario(house: House) -> None:
        await (await house.attempt(run_limit_s=2.0)).run()
        seen = await house.look()
        assert seen.at_rest
        assert (seen.row.status, seen.error["code"]) == ("failed", "deadline_exceeded")
        assert seen.call.state == ("failed" if repeatable else "unknown")
        assert seen.row.finished_at < seen.row.deadline_at

    play(database, tmp_path, provider, scenario)


def test_a_drained_attempt_hands_its_job_back_with_no_attempt_used(database: Database, tmp_path: Path) -> None:
    waits = Waits()
    provider = ScriptedProvider([waits, Says(0.5), done()])

    async def scenario(house: House) -> None:
        attempt = await house.attempt()
        running = asyncio.create_task(attempt.run())
        await waits.reached.wait()
        attempt.drain()
        waits.let_go.set()
        await running
        seen = await house.look()
        assert (seen.row.status, seen.row.ready, seen.row.attempt, seen.row.lost_n) == ("pending", True, 0, 0)
        assert (seen.told[-1], seen.last_payload["code"], seen.call.state) == ("requeued", "drain", "failed")

    play(database, tmp_path, provider, scenario, pace=Pace(stop_grace_s=10.0))


def test_a_provider_that_never_reports_is_drained_too(database: Database, tmp_path: Path) -> None:
    hangs = Waits()
    provider = ScriptedProvider([hangs])

    async def scenario(house: House) -> None:
        attempt = await house.attempt()
        running = asyncio.create_task(attempt.run())
        await hangs.reached.wait()
        attempt.drain()
        await running
        assert (await house.look()).row.ready

    play(database, tmp_path, provider, scenario)


def test_an_accepted_call_goes_on_while_its_worker_drains_and_is_resumed_by_the_next(
    database: Database, tmp_path: Path
) -> None:
    waits = Waits()
    provider = ScriptedProvider([Pending("r-1"), waits, Pending("r-1"), done()], repeatable=False)

    async def scenario(house: House) -> None:
        attempt = await house.attempt()
        running = asyncio.create_task(attempt.run())
        await waits.reached.wait()
        attempt.drain()
        waits.let_go.set()
        await running
        seen = await house.look()
        assert (seen.row.status, seen.row.resumes, seen.call.state) == ("pending", True, "accepted")
        assert provider.canceled == []
        await house.run_again()
        seen = await house.look()
        assert (seen.row.status, seen.call.state, len(provider.generations)) == ("completed", "succeeded", 1)

    play(database, tmp_path, provider, scenario, pace=Pace(poll_every_s=0.005, stop_grace_s=10.0))


def test_an_attempt_that_is_drained_before_its_call_makes_none(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider()

    async def scenario(house: House) -> None:
        attempt = await house.attempt()
        attempt.drain()
        await attempt.run()
        seen = await house.look()
        assert (seen.row.status, seen.row.ready, seen.calls, provider.generations) == ("pending", True, [], [])

    play(database, tmp_path, provider, scenario)


@pytest.mark.parametrize("given", [{"model": "nobody-has-it"}, {"provider_pin": "elsewhere"}])
def test_a_job_that_this_worker_cannot_run_is_left_to_others(
    database: Database, tmp_path: Path, given: dict[str, str]
) -> None:
    provider = ScriptedProvider()

    async def scenario(house: House) -> None:
        attempt = await house.attempt(**given)
        await attempt.run()
        seen = await house.look()
        assert (seen.row.status, seen.row.ready, seen.row.attempt, seen.calls) == ("pending", False, 0, [])
        assert seen.row.due_at == pytest.approx(attempt.job.claimed_at + 30.0, abs=10.0)
        assert (seen.told[-1], seen.last_payload["code"]) == ("requeued", "worker_cannot_run")
        assert provider.generations == []

    play(database, tmp_path, provider, scenario)


def test_a_route_that_was_shut_down_since_the_job_was_submitted_is_not_taken(
    database: Database, tmp_path: Path
) -> None:
    provider = ScriptedProvider()
    over = Route(provider="scripted", model="m-old", shutdown_date=date(2026, 1, 2))

    async def scenario(house: House) -> None:
        await house.submit("a", "b")
        first, second = await house.claim(2)
        before, after = (
            replace(house.bench, catalog=Catalog((retiring,)), today=lambda day=day: date(2026, 1, day))
            for day in (1, 2)
        )
        await Attempt(after, first).run()
        assert (await house.look(first.id)).last_payload["code"] == "worker_cannot_run"
        await Attempt(before, second).run()
        assert [generation.model for generation in provider.generations] == ["m-old"]

    retiring = MODEL.model_copy(update={"routes": (over,)})
    play(database, tmp_path, provider, scenario)


def test_an_accepted_call_is_left_to_workers_that_have_its_provider(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider(repeatable=False)

    async def scenario(house: House) -> None:
        await lose_first_worker(house, remote_id="r-9")
        (taken,) = await house.claim()
        await Attempt(replace(house.bench, providers={}), taken).run()
        seen = await house.look()
        assert (seen.row.status, seen.row.resumes, seen.row.attempt) == ("pending", True, 0)
        assert (seen.last_payload["code"], seen.call.state) == ("worker_cannot_run", "accepted")
        assert seen.row.due_at == pytest.approx(taken.claimed_at + 30.0, abs=10.0)
        assert await house.claim() == [], "it would be taken and handed back without a pause"

    play(database, tmp_path, provider, scenario)


def test_an_accepted_call_is_resumed_although_its_route_was_shut_down_since(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider(repeatable=False)
    provider.remember("r-9", done())
    over = Route(provider="scripted", model="m-1", shutdown_date=date(2026, 1, 2))

    async def scenario(house: House) -> None:
        await lose_first_worker(house, remote_id="r-9")
        (taken,) = await house.claim()
        catalog = Catalog((MODEL.model_copy(update={"routes": (over,)}),))
        await Attempt(replace(house.bench, catalog=catalog, today=lambda: date(2026, 1, 3)), taken).run()
        assert (await house.look()).row.status == "completed"

    play(database, tmp_path, provider, scenario)


UNFIT = "no\x00such \ud800thing\x1b"


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (Rejected(ProviderError(ErrorClass.CONTENT_REJECTED, UNFIT, UNFIT)), "content_rejected"),
        (ValueError(UNFIT), "provider_unknown"),
    ],
)
def test_words_that_no_database_can_keep_do_not_leave_a_job_without_an_ending(
    database: Database, tmp_path: Path, step: Rejected | Exception, code: str
) -> None:
    provider = ScriptedProvider([step], repeatable=False)

    async def scenario(house: House) -> None:
        await (await house.attempt()).run()
        seen = await house.look()
        assert (seen.row.status, seen.error["code"]) == ("failed", code)
        assert "no\ufffdsuch \ufffdthing" in seen.call.error
        assert seen.at_rest

    play(database, tmp_path, provider, scenario, rules=Rules(UnknownPolicy.FAIL_AND_RELEASE))


def test_when_what_was_learnt_of_a_call_cannot_be_written_the_job_ends_without_it(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = ScriptedProvider([done(cost_usd=0.5)], repeatable=False)

    async def scenario(house: House) -> None:
        attempt = await house.attempt()
        write = house.database.write

        async def refusing(use_case: Any, *args: Any) -> Any:
            if use_case is finish and args[0].call.cost_usd is not None:
                raise ValueError("the database does not take this")
            return await write(use_case, *args)

        monkeypatch.setattr(house.database, "write", refusing)
        await attempt.run()
        seen = await house.look()
        assert (seen.row.status, seen.error["code"]) == ("failed", "internal")
        assert (seen.call.state, seen.call.cost_usd) == ("succeeded", None)
        assert seen.at_rest

    play(database, tmp_path, provider, scenario)


@pytest.mark.parametrize("seed", [10**5_000, "7\x00", True, float("nan")], ids=["endless", "text", "flag", "no number"])
def test_nonsense_in_what_a_provider_says_of_its_file_spoils_no_picture(
    database: Database, tmp_path: Path, seed: object
) -> None:
    said = {"seed": seed, "ai_generated": "\ud800"}
    output = Output(tiny_png(), "image/png", duration_s=float("inf"), metadata=said)

    async def scenario(house: House) -> None:
        await (await house.attempt(params='{"seed":7}')).run()
        (asset,) = (await house.look()).assets
        papers = read_provenance(await house.bench.store.get(asset.key))
        assert papers is not None
        assert (papers.seed, papers.ai_generated, asset.duration_s) == (7, True, None)

    play(database, tmp_path, ScriptedProvider([Done((output,))], repeatable=False), scenario)


@pytest.mark.parametrize("repeatable", [True, False])
def test_a_final_answer_that_comes_during_a_drain_is_final(
    database: Database, tmp_path: Path, repeatable: bool
) -> None:
    waits = Waits()
    refusal = rejected("content_rejected", "not that")
    provider = ScriptedProvider([waits, Says(0.5, obeys=False), refusal], repeatable=repeatable)

    async def scenario(house: House) -> None:
        await drain_meanwhile(await house.attempt(), waits)
        seen = await house.look()
        assert (seen.row.status, seen.error["code"], seen.call.state) == ("failed", "content_rejected", "failed")

    play(database, tmp_path, provider, scenario, pace=Pace(stop_grace_s=10.0))


def test_a_paid_call_that_failed_during_a_drain_uses_its_attempt(database: Database, tmp_path: Path) -> None:
    waits = Waits()
    provider = ScriptedProvider([waits, rejected("unavailable", "busy")], repeatable=False)

    async def scenario(house: House) -> None:
        await drain_meanwhile(await house.attempt(), waits)
        seen = await house.look()
        assert (seen.row.status, seen.row.attempt, seen.last_payload["code"]) == ("pending", 1, "unavailable")

    play(database, tmp_path, provider, scenario, pace=Pace(stop_grace_s=10.0))


def test_a_drain_is_never_the_failure_that_was_one_too_many(database: Database, tmp_path: Path) -> None:
    waits = Waits()
    provider = ScriptedProvider([waits, Says(0.5), done()])

    async def scenario(house: House) -> None:
        attempt = await house.attempt()
        attempt.job = attempt.job._replace(attempt=3)
        await drain_meanwhile(attempt, waits)
        seen = await house.look()
        assert (seen.row.status, seen.last_payload["code"]) == ("pending", "drain")

    play(database, tmp_path, provider, scenario, pace=Pace(stop_grace_s=10.0))


async def drain_meanwhile(attempt: Attempt, waits: Waits) -> None:
    running = asyncio.create_task(attempt.run())
    await waits.reached.wait()
    attempt.drain()
    waits.let_go.set()
    await running


def test_a_call_that_could_not_be_stopped_stays_open(database: Database, tmp_path: Path) -> None:
    waits = Waits()
    provider = ScriptedProvider([Pending("r-1"), waits, *[Pending("r-1")] * 1_000], repeatable=False)
    provider.when_canceled = ConnectionResetError("cut")

    async def scenario(house: House) -> None:
        running = asyncio.create_task((await house.attempt()).run())
        await waits.reached.wait()
        await house.database.write(cancel, "a", "ann")
        waits.let_go.set()
        await running
        seen = await house.look()
        assert (seen.row.status, seen.call.state, provider.canceled) == ("canceled", "accepted", ["r-1"])

    play(database, tmp_path, provider, scenario, pace=Pace(poll_every_s=0.005, stop_grace_s=10.0))


def test_a_provider_that_does_not_hear_of_a_cancel_delays_the_end_of_a_left_job_only_so_long(
    database: Database, tmp_path: Path
) -> None:
    provider = ScriptedProvider(repeatable=False)
    provider.when_canceled = Waits()

    async def scenario(house: House) -> None:
        await lose_first_worker(house, remote_id="r-9")
        await house.database.write(cancel, "a", "ann")
        await house.run_again()
        seen = await house.look()
        assert (seen.row.status, seen.call.state, provider.canceled) == ("canceled", "accepted", ["r-9"])

    play(database, tmp_path, provider, scenario, pace=Pace(cancel_within_s=0.05))


def test_a_storage_that_hangs_is_a_storage_that_fails(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(AssetStore, "put", hangs)

    async def scenario(house: House) -> None:
        attempt = await house.attempt()
        attempt.job = attempt.job._replace(seconds_left=0.0)
        await attempt.run()
        seen = await house.look()
        assert (seen.row.status, seen.error["code"], seen.call.state) == ("failed", "storage_failed", "succeeded")

    provider = ScriptedProvider(repeatable=False)
    play(database, tmp_path, provider, scenario, pace=Pace(deliver_at_least_s=0.05))


def test_an_answer_counts_although_nobody_could_look_whether_it_is_still_wanted(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = Waits()
    provider = ScriptedProvider([waits, Says(0.5), done(cost_usd=0.5)], repeatable=False)

    async def scenario(house: House) -> None:
        attempt = await house.attempt()
        read, looks, looked_again = house.database.read, 0, asyncio.Event()

        async def broken(case: Any, *args: Any) -> Any:
            nonlocal looks
            if case is standing:
                looks += 1
                if looks > 1:
                    looked_again.set()
                raise RuntimeError("a bug in looking")
            return await read(case, *args)

        monkeypatch.setattr(house.database, "read", broken)
        running = asyncio.create_task(attempt.run())
        await waits.reached.wait()
        while not looked_again.is_set():
            house.bench.hub.wake(["stop:a"])
            await asyncio.sleep(0)
        waits.let_go.set()
        await running
        monkeypatch.undo()
        seen = await house.look()
        assert (seen.row.status, seen.call.state, seen.call.cost_usd) == ("completed", "succeeded", 0.5)
        assert provider.answers == [True]

    play(database, tmp_path, provider, scenario, pace=Pace(look_again_s=0.005, stop_grace_s=0.05))


def test_a_watch_that_breaks_does_not_replace_the_answer(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = Waits()
    provider = ScriptedProvider([waits, done(cost_usd=0.5)], repeatable=False)

    async def breaks(self: LiveCall) -> None:
        await waits.reached.wait()
        waits.let_go.set()
        raise RuntimeError("a bug in watching")

    monkeypatch.setattr(LiveCall, "_watch", breaks)

    async def scenario(house: House) -> None:
        await (await house.attempt()).run()
        seen = await house.look()
        assert (seen.row.status, seen.call.state, seen.call.cost_usd) == ("completed", "succeeded", 0.5)

    play(database, tmp_path, provider, scenario, pace=Pace(stop_grace_s=10.0))


def test_a_watch_that_breaks_does_not_stop_an_accepted_call_which_would_then_be_paid_again(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = ScriptedProvider([Pending("r-1"), Pending("r-1"), Pending("r-1"), done(cost_usd=0.5)], repeatable=False)

    async def breaks(self: LiveCall) -> None:
        raise RuntimeError("a bug in watching")

    monkeypatch.setattr(LiveCall, "_watch", breaks)

    async def scenario(house: House) -> None:
        await (await house.attempt()).run()
        seen = await house.look()
        assert (seen.row.status, seen.call.state) == ("completed", "succeeded")
        assert (provider.canceled, len(provider.generations)) == ([], 1)

    play(database, tmp_path, provider, scenario, pace=Pace(poll_every_s=0.01))


def test_a_bug_of_ours_ends_the_job_and_gives_its_hold_back(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("safelight.worker.attempt.upload", broken)
    provider = ScriptedProvider(repeatable=False)

    async def scenario(house: House) -> None:
        await (await house.attempt()).run()
        seen = await house.look()
        assert (seen.row.status, seen.error["code"]) == ("failed", "internal")
        assert "oops" not in seen.row.error
        assert seen.call.state == "succeeded"

    play(database, tmp_path, provider, scenario)


def test_a_database_that_is_away_delays_what_an_attempt_learnt_but_loses_none_of_it(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every write and read fails a few times, wherever the attempt is."""
    provider = ScriptedProvider([Says(0.5), Pending("r-1"), done()], repeatable=False)

    async def scenario(house: House) -> None:
        attempt = await house.attempt()
        write, read = house.database.write, house.database.read
        failures = {"write": 0, "read": 0}

        async def flaky(kind: str, *args: Any) -> Any:
            failures[kind] += 1
            if failures[kind] % 3:
                raise Unavailable("The database is away.", remedy=Remedy("Wait."))
            return await (write if kind == "write" else read)(*args)

        with monkeypatch.context() as patched:
            patched.setattr(house.database, "write", lambda *args: flaky("write", *args))
            patched.setattr(house.database, "read", lambda *args: flaky("read", *args))
            await attempt.run()
        seen = await house.look()
        assert (seen.row.status, seen.call.state, seen.call.remote_id) == ("completed", "succeeded", "r-1")
        assert len(provider.generations) == 1
        assert failures["write"] > 3

    play(database, tmp_path, provider, scenario)


async def due_now(house: House, name: str = "a") -> None:
    """Time passes until the job is due."""
    number = (await house.look(name)).row.number
    await house.database.write(turn_back, number, "due_at")
    assert await house.database.write(sweep.make_ready) == 1
