"""Calls that go on at the provider: asked for now and then, later if it wants, and not made again without proof."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from safelight.domain.outcomes import ErrorClass, Pending
from safelight.providers.protocol import AskLater
from safelight.store.database import Database
from safelight.testing.providers import ScriptedProvider, done, rejected
from safelight.worker.attempt import Attempt
from tests.integration.worker.house import House, play


class Announcing(ScriptedProvider):
    """Could announce by itself."""

    def read_callback(self, body: Any) -> str | None:
        return None


def test_a_provider_that_wants_to_be_asked_later_is_no_failure(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider([Pending("r-1"), AskLater("busy", 0.02), Pending("r-1", 0.5), done()], repeatable=False)

    async def scenario(it: House) -> None:
        await (await it.attempt()).run()
        look = await it.look()
        assert (look.row.status, look.call.state, len(provider.polled)) == ("completed", "succeeded", 3)

    play(database, tmp_path, provider, scenario)


def test_a_state_that_nobody_understands_ends_the_job_at_once_and_pays_for_no_other_call(
    database: Database, tmp_path: Path
) -> None:
    strange = rejected(ErrorClass.PROTOCOL, "a status that Safelight does not know: 'contemplating'")
    provider = ScriptedProvider([Pending("r-1"), strange], repeatable=False)

    async def scenario(it: House) -> None:
        await (await it.attempt()).run()
        look = await it.look()
        assert (look.row.status, look.error["code"]) == ("failed", "protocol")
        assert "contemplating" in look.error["message"]
        assert look.call.state == "accepted", "it may still be made: it is looked after"
        assert len(provider.call_ids) == 1

    play(database, tmp_path, provider, scenario)


def test_a_state_of_what_costs_nothing_that_nobody_understands_is_tried_again(
    database: Database, tmp_path: Path
) -> None:
    provider = ScriptedProvider([Pending("r-1"), rejected(ErrorClass.PROTOCOL)])

    async def scenario(it: House) -> None:
        await (await it.attempt()).run()
        look = await it.look()
        assert (look.row.status, look.call.state) == ("pending", "failed")

    play(database, tmp_path, provider, scenario)


@pytest.mark.parametrize("provider", [ScriptedProvider(), Announcing()], ids=["silent", "announcing"])
def test_only_a_provider_that_announces_is_given_an_address_for_it(
    database: Database, tmp_path: Path, provider: ScriptedProvider
) -> None:
    async def scenario(it: House) -> None:
        bench = dataclasses.replace(it.bench, callback_url=lambda name, call: f"https://s.io/{name}/{call}")
        await it.submit("a")
        (taken,) = await it.claim()
        await Attempt(bench, taken).run()
        address = f"https://s.io/scripted/{provider.call_ids[-1]}"
        assert provider.generations[-1].callback_url == (address if isinstance(provider, Announcing) else None)

    play(database, tmp_path, provider, scenario)


def test_while_it_waits_in_the_providers_queue_its_stage_says_so(database: Database, tmp_path: Path) -> None:
    seen: list[str] = []

    class Watched(ScriptedProvider):
        async def poll(self, remote_id: str) -> Any:
            seen.append((await house.look()).row.stage)
            return await super().poll(remote_id)

    provider = Watched([Pending("r-1"), Pending("r-1", is_queued=True), Pending("r-1"), done()], repeatable=False)

    async def scenario(it: House) -> None:
        nonlocal house
        house = it
        await (await it.attempt()).run()
        assert seen == ["running", "provider_queue", "running"]

    house: House
    play(database, tmp_path, provider, scenario)
