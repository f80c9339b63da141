"""The doctor inside a server: asked often, it looks seldom, and its own process's troubles count."""

from __future__ import annotations

import asyncio

import pytest

from safelight.adapters import Adapters
from safelight.app import sources
from safelight.catalog.loading import load_catalog
from safelight.diagnosis import checkup as module
from safelight.diagnosis.checkup import Checkup
from safelight.diagnosis.doctor import Report
from safelight.diagnosis.sources import Sources
from safelight.domain.errors import Remedy, Unavailable
from tests.support.door import Door


def of(door: Door, hindrance: BaseException | None = None) -> Sources:
    found = Adapters(door.safelight.providers, {}, {})
    return sources(door.settings, load_catalog(), found, asks=False, hindrance=lambda: hindrance)


def test_many_who_ask_at_once_and_soon_after_share_one_look(sqlite_door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    async def counted(given: Sources) -> Report:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)
        return Report(0.0, 0.0, ())

    monkeypatch.setattr(module, "examine", counted)

    async def ask_often(keep_s: float) -> None:
        checkup = Checkup(of(sqlite_door), keep_s)
        await asyncio.gather(*(checkup.report() for _ in range(20)))
        await checkup.report()

    asyncio.run(ask_often(60.0))
    assert looks == 1
    asyncio.run(ask_often(0.0))
    assert looks == 1 + 21


def test_a_database_that_this_process_cannot_write_is_unreachable_and_the_rest_is_known(door: Door) -> None:
    refusal = Unavailable("The disk of the database is full.", remedy=Remedy("Make room."))
    door.submit()
    report = asyncio.run(Checkup(of(door, refusal)).report())
    assert report.findings[0].code == "DATABASE_UNREACHABLE"
    assert report.findings[0].symptom == "The disk of the database is full."
    assert "NO_WORKER_FOR_QUEUE" in {finding.code for finding in report.findings}
