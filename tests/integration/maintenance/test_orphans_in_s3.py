"""Files of nobody in an object store: found over many pages, by the store's own clock, and nothing else is touched."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from safelight.domain.ids import new_id
from safelight.maintenance.orphans import collect_orphans
from safelight.services.aftercare import LOOKED_AFTER_S
from safelight.storage.assets import AssetStore
from safelight.store.connect import open_database
from safelight.store.database import Database
from tests.integration.maintenance.test_pruner import delivered, files_of, key_for, put, run

EVERYTHING_IS_OLD = -LOOKED_AFTER_S - 5.0
"""As `longest_job_s`: files of a moment ago count as old. An object store does not let anybody turn back its times."""


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    opened = open_database(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def store(s3_url: str) -> AssetStore:
    return AssetStore(s3_url)


def files_in(store: AssetStore) -> set[str]:
    async def listed() -> set[str]:
        return {found.key async for found in store.list("assets")}

    return asyncio.run(listed())


def test_orphans_go_over_pages_of_a_thousand_and_files_of_jobs_stay(
    sqlite_database: Database, sqlite_url: str, store: AssetStore
) -> None:
    kept = delivered(sqlite_database, store, 2)
    stray, odd = new_id(), "assets/notes/readme.txt"
    put(store, *(key_for(stray, f"c{n}") for n in range(1_100)), odd)
    planned = run(sqlite_url, lambda each: collect_orphans(each, store, EVERYTHING_IS_OLD, dry_run=True))
    assert (planned.seen, planned.files) == (1_105, 1_100)
    assert len(files_in(store)) == 1_105
    done = run(sqlite_url, lambda each: collect_orphans(each, store, EVERYTHING_IS_OLD))
    assert (done.seen, done.files, done.bytes) == (1_105, 1_100, planned.bytes)
    assert files_in(store) == files_of(*kept) | {odd}, "what is no name of ours is nobody's business"


def test_only_the_clock_of_the_store_tells_how_old_a_file_is(
    sqlite_database: Database, sqlite_url: str, store: AssetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, key_for(new_id()))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 10 * 365 * 86_400)
    done = run(sqlite_url, lambda each: collect_orphans(each, store, 3600.0))
    assert (done.seen, done.files) == (1, 0)
    assert len(files_in(store)) == 1
