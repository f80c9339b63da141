"""What a gate learns from a call that ran into the deadline of its job: whose fault that was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from safelight.catalog.catalog import Catalog
from safelight.domain.outcomes import Pending
from safelight.services import gate_look
from safelight.store.database import Database
from safelight.testing.providers import Says, ScriptedProvider, Step, Waits
from tests.integration.worker.house import MODEL, House, play
from tests.integration.worker.test_routes import FIRST, with_routes

HURRIED_S, LEISURELY_S = 60.0, 0.1
"""What the model usually needs, where a call gets about a second."""


@pytest.mark.parametrize(
    ("script", "usual_s", "failures"),
    [
        ([Waits], LEISURELY_S, 1),
        ([Waits], HURRIED_S, 0),
        ([lambda: Says(0.5), Waits], LEISURELY_S, 0),
        ([lambda: Pending("r-1")] * 5_000, LEISURELY_S, 0),
    ],
    ids=["not a word in good time", "too little time", "at work", "accepted"],
)
def test_only_a_provider_that_says_nothing_in_good_time_has_failed(
    script: list[Callable[[], Step]], usual_s: float, failures: int, database: Database, tmp_path: Path
) -> None:
    first = ScriptedProvider([make() for make in script], name="first", repeatable=False)

    async def scenario(house: House) -> None:
        with_routes(house, first, first, routes=(FIRST,))
        model = MODEL.model_copy(update={"routes": (FIRST,), "typical_s": usual_s})
        house.bench = replace(house.bench, catalog=Catalog((model,)))
        await (await house.attempt(run_limit_s=1.3)).run()
        assert (await house.look()).error["code"] == "deadline_exceeded"
        seen = await house.database.read(gate_look.look, house.bench.tolls(), "w1")
        assert seen.standings[0].gate.failures == failures

    play(database, tmp_path, first, scenario)
