"""Several providers for one model: another is asked only when the first has provably not accepted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from safelight.catalog.catalog import Catalog
from safelight.catalog.limits import ProviderLimits
from safelight.catalog.model import Route
from safelight.domain.gates import TRIP_AFTER
from safelight.domain.outcomes import ErrorClass, Pending, RemoteState
from safelight.providers.protocol import Generation, NotSent, Report
from safelight.services import gate_look
from safelight.services.cancel import cancel
from safelight.services.claim import claim
from safelight.services.gates import open_gates
from safelight.store.database import Database
from safelight.testing.providers import Says, ScriptedProvider, Step, Waits, done, rejected
from safelight.worker.gatekeeper import Gatekeeper
from safelight.worker.routing import FALLS_BACK
from tests.integration.worker.house import MODEL, House, play

FIRST = Route(provider="first", model="m-1", cost_usd=0.02)
SECOND = Route(provider="second", model="m-2", cost_usd=0.05)
STAYS = sorted(set(ErrorClass) - FALLS_BACK)
Scenario = Callable[[House, ScriptedProvider, ScriptedProvider], Awaitable[None]]


def paid(name: str, *scripts: list[Step], fingerprint: str = "k1") -> ScriptedProvider:
    provider = ScriptedProvider(*scripts, name=name, repeatable=False)
    provider.fingerprint = fingerprint
    return provider


def with_routes(
    house: House,
    first: ScriptedProvider,
    second: ScriptedProvider,
    *,
    routes: tuple[Route, ...] = (FIRST, SECOND),
    limits: dict[str, ProviderLimits] | None = None,
) -> House:
    catalog = Catalog((MODEL.model_copy(update={"routes": routes}),), limits or {})
    house.bench = replace(house.bench, catalog=catalog, providers={"first": first, "second": second})
    house.runner.bench = house.bench
    return house


def played(database: Database, folder: Path, first: list[Step], scenario: Scenario, *second: list[Step]) -> None:
    one, other = paid("first", first), paid("second", *second)

    async def run(house: House) -> None:
        await scenario(with_routes(house, one, other), one, other)

    play(database, folder, one, run)


@pytest.mark.parametrize("error_class", sorted(FALLS_BACK))
def test_the_next_provider_makes_it_in_the_same_attempt_at_the_same_price(
    error_class: ErrorClass, database: Database, tmp_path: Path
) -> None:
    async def scenario(house: House, first: ScriptedProvider, second: ScriptedProvider) -> None:
        await (await house.attempt()).run()
        seen = await house.look()
        assert (seen.row.status, seen.row.attempt, seen.row.captured) == ("completed", 1, 10)
        assert [(call.provider, call.state) for call in seen.calls] == [("first", "failed"), ("second", "succeeded")]
        assert [call.cost_usd for call in seen.calls] == [0.0, 0.05]
        assert second.generations[0].model == "m-2"

    played(database, tmp_path, [rejected(error_class)], scenario)


@pytest.mark.parametrize("error_class", STAYS)
def test_what_would_be_the_same_everywhere_or_was_begun_is_asked_of_nobody_else(
    error_class: ErrorClass, database: Database, tmp_path: Path
) -> None:
    async def scenario(house: House, first: ScriptedProvider, second: ScriptedProvider) -> None:
        await (await house.attempt()).run()
        assert second.generations == []
        assert [call.provider for call in (await house.look()).calls] == ["first"]

    played(database, tmp_path, [rejected(error_class)], scenario)


def test_a_request_that_never_left_falls_back(database: Database, tmp_path: Path) -> None:
    async def scenario(house: House, first: ScriptedProvider, second: ScriptedProvider) -> None:
        await (await house.attempt()).run()
        assert [call.provider for call in (await house.look()).calls] == ["first", "second"]

    played(database, tmp_path, [NotSent("refused")], scenario)


def test_a_request_that_this_worker_held_back_is_no_fault_of_the_provider_nor_of_the_job(
    database: Database, tmp_path: Path
) -> None:
    class Late(ScriptedProvider):
        async def start(self, generation: Generation, call_id: str, report: Report) -> RemoteState:
            house_of[0].bench.presence._beaten_at -= 1_000.0
            assert not report.may_send()
            raise NotSent("the worker had lost its lease before the request was sent")

    first, second, house_of = Late(name="first", repeatable=False), paid("second"), list[House]()

    async def scenario(house: House) -> None:
        house_of.append(with_routes(house, first, second))
        await (await house.attempt()).run()
        seen = await house.look()
        assert (seen.row.status, seen.row.ready, seen.row.attempt) == ("pending", True, 0)
        assert seen.last_payload["code"] == "lease_lost"
        assert second.generations == []
        look = await house.database.read(gate_look.look, house.bench.tolls(), "w1")
        assert [standing.gate.failures for standing in look.standings] == [0, 0]

    play(database, tmp_path, first, scenario)


@pytest.mark.parametrize(
    "script",
    [
        [ConnectionResetError("cut")],
        [Pending("r-1"), rejected("unavailable", "it broke half-way")],
        [Says(0.3), rejected("unavailable", "it broke half-way")],
    ],
    ids=["unknown", "accepted", "at work"],
)
def test_after_anything_that_may_have_been_accepted_nobody_else_is_asked(
    script: list[Step], database: Database, tmp_path: Path
) -> None:
    async def scenario(house: House, first: ScriptedProvider, second: ScriptedProvider) -> None:
        await (await house.attempt()).run()
        assert second.generations == []
        assert (await house.look()).row.status == "pending"

    played(database, tmp_path, script, scenario)


def test_a_job_pinned_to_a_provider_is_asked_of_nobody_else(database: Database, tmp_path: Path) -> None:
    async def scenario(house: House, first: ScriptedProvider, second: ScriptedProvider) -> None:
        await (await house.attempt(provider_pin="first")).run()
        seen = await house.look()
        assert (seen.row.status, seen.error["code"], seen.error["provider"]) == ("failed", "unauthorized", "first")
        assert second.generations == []

    played(database, tmp_path, [rejected("unauthorized", "bad key")], scenario)


def test_when_all_refuse_the_last_word_is_the_last_provider_s(database: Database, tmp_path: Path) -> None:
    async def scenario(house: House, first: ScriptedProvider, second: ScriptedProvider) -> None:
        await (await house.attempt()).run()
        seen = await house.look()
        assert (seen.row.status, seen.error["code"], seen.error["provider"]) == ("failed", "out_of_credit", "second")
        assert seen.error["provider_message"] == "top up"

    played(database, tmp_path, [rejected("unauthorized", "bad key")], scenario, [rejected("out_of_credit", "top up")])


def test_a_job_canceled_while_the_first_refused_is_asked_of_nobody_else(database: Database, tmp_path: Path) -> None:
    async def scenario(house: House, first: ScriptedProvider, second: ScriptedProvider) -> None:
        import asyncio

        running = asyncio.create_task((await house.attempt()).run())
        await waits.reached.wait()
        await house.database.write(cancel, "a", "ann")
        waits.let_go.set()
        await running
        assert (await house.look()).row.status == "canceled"
        assert second.generations == []

    waits = Waits()
    played(database, tmp_path, [waits, rejected("unavailable")], scenario)


def test_a_provider_whose_gate_is_shut_is_passed_over_without_a_call(database: Database, tmp_path: Path) -> None:
    async def scenario(house: House, first: ScriptedProvider, second: ScriptedProvider) -> None:
        await (await house.attempt("a")).run()
        await (await house.attempt("b")).run()
        assert [call.provider for call in (await house.look("b")).calls] == ["second"]
        assert len(first.generations) == 1

    played(database, tmp_path, [rejected("unauthorized", "bad key")], scenario)


def test_with_every_gate_shut_jobs_leave_the_queue_and_come_back_when_one_opens(
    database: Database, tmp_path: Path
) -> None:
    first, second = paid("first", [rejected("unauthorized", "bad key")]), paid("second")

    async def scenario(house: House) -> None:
        with_routes(house, first, second, routes=(FIRST,))
        keeper = Gatekeeper(house.bench)
        await (await house.attempt("a")).run()
        assert (await house.look("a")).error["code"] == "unauthorized"
        await house.submit("b", "c")
        terms = house.runner._terms()
        assert await house.database.write(claim, house.bench.presence.id, ["image"], 4, terms) == []
        assert (await house.look("b")).row.waiting_for == "gate:first"
        assert await keeper.look_once() == 0
        first.fingerprint = "k2"  # a new key
        assert await keeper.look_once() == 2
        await house.run_again()
        assert (await house.look("b")).row.status == "completed"

    play(database, tmp_path, first, scenario)


def test_a_job_that_finds_a_provider_down_waits_and_no_try_is_used(database: Database, tmp_path: Path) -> None:
    first, second = paid("first", *[[NotSent("refused")] for _ in range(TRIP_AFTER + 1)]), paid("second")

    async def scenario(house: House) -> None:
        with_routes(house, first, second, routes=(FIRST,))
        for n in range(TRIP_AFTER):
            await (await house.attempt(f"j{n}")).run()
        seen = [await house.look(f"j{n}") for n in range(TRIP_AFTER)]
        assert [look.row.waiting_for for look in seen] == [None] * (TRIP_AFTER - 1) + ["gate:first"]
        assert [look.row.attempt for look in seen] == [1] * (TRIP_AFTER - 1) + [0]
        await house.database.write(open_gates, "first")
        keeper = Gatekeeper(house.bench)
        assert await keeper.look_once() == 1
        await house.run_again()
        last = await house.look(f"j{TRIP_AFTER - 1}")
        assert (last.row.waiting_for, last.row.attempt) == ("gate:first", 0)

    play(database, tmp_path, first, scenario)


def test_a_job_waits_for_a_second_provider_that_is_only_busy_instead_of_failing(
    database: Database, tmp_path: Path
) -> None:
    first, second = paid("first"), paid("second", [rejected("rate_limited", "slow down", retry_after_s=30.0)])

    async def scenario(house: House) -> None:
        with_routes(house, first, second, routes=(SECOND,))
        await (await house.attempt("a")).run()
        assert ((await house.look("a")).row.due_at or 0) > 0
        first_refuses = paid("first", [rejected("unauthorized", "bad key")])
        with_routes(house, first_refuses, second)
        await (await house.attempt("b")).run()
        seen = await house.look("b")
        assert (seen.row.status, seen.row.waiting_for, seen.row.attempt) == ("pending", "gate:second", 0)
        assert (seen.last_payload["code"], "slow down" in seen.last_payload["reason"]) == ("cooldown", True)

    play(database, tmp_path, first, scenario)


def test_of_more_jobs_than_a_provider_takes_at_a_time_the_others_wait_and_lose_nothing(
    database: Database, tmp_path: Path
) -> None:
    waits = Waits()
    first, second = paid("first", [waits, done()]), paid("second")

    async def scenario(house: House) -> None:
        import asyncio

        limits = {"first": ProviderLimits(concurrency=1)}
        with_routes(house, first, second, routes=(FIRST,), limits=limits)
        keeper = Gatekeeper(house.bench)
        running = asyncio.create_task((await house.attempt("a")).run())
        await waits.reached.wait()
        attempt = await house.attempt("b")
        await attempt.run()
        seen = await house.look("b")
        assert (seen.row.waiting_for, seen.row.attempt, seen.calls) == ("gate:first", 0, [])
        assert seen.last_payload["code"] == "concurrency"
        assert await keeper.look_once() == 0
        waits.let_go.set()
        await running
        assert await keeper.look_once() == 1
        await house.run_again()
        assert (await house.look("b")).row.status == "completed"

    play(database, tmp_path, first, scenario)


def test_a_call_that_no_day_has_room_for_fails_at_once(database: Database, tmp_path: Path) -> None:
    first, second = paid("first"), paid("second")

    async def scenario(house: House) -> None:
        with_routes(house, first, second, routes=(FIRST,), limits={"first": ProviderLimits(daily_usd=0.01)})
        await (await house.attempt("a")).run()
        seen = await house.look("a")
        assert (seen.row.status, seen.error["code"], seen.error["provider"]) == ("failed", "spend_ceiling", "first")
        assert "$0.02" in seen.error["message"]

    play(database, tmp_path, first, scenario)


def test_a_route_that_was_shut_down_is_not_taken(database: Database, tmp_path: Path) -> None:
    first, second = paid("first"), paid("second")

    async def scenario(house: House) -> None:
        over = FIRST.model_copy(update={"shutdown_date": date(2020, 1, 1)})
        with_routes(house, first, second, routes=(over, SECOND))
        await (await house.attempt("a")).run()
        assert [call.provider for call in (await house.look("a")).calls] == ["second"]

    play(database, tmp_path, first, scenario)


def test_a_local_provider_without_limits_has_no_gate(database: Database, tmp_path: Path) -> None:
    local = ScriptedProvider()

    async def scenario(house: House) -> None:
        assert house.bench.toll("scripted", None) is None
        assert house.bench.tolls() == []
        await (await house.attempt()).run()
        assert (await house.look()).row.status == "completed"
        priced = Catalog((MODEL.model_copy(update={"routes": (FIRST.model_copy(update={"provider": "scripted"}),)}),))
        house.bench = replace(house.bench, catalog=priced)
        assert [toll.provider for toll in house.bench.tolls()] == ["scripted"]

    play(database, tmp_path, local, scenario)
