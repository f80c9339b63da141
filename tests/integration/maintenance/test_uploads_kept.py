"""Pictures that users brought: they stay while a job names them, are backed up with it, and leave nothing behind."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
import sqlalchemy as sa

from safelight.domain.ids import new_id
from safelight.maintenance.backup import back_up
from safelight.maintenance.expired_uploads import ExpiredUploads
from safelight.maintenance.orphans import collect_orphans
from safelight.maintenance.restore import restore
from safelight.services import prune, uploads
from safelight.services.uploads import NewUpload, Upload
from safelight.storage.assets import AssetStore
from safelight.storage.keys import incoming_key, upload_key
from safelight.store import tables
from safelight.store.connect import open_database
from safelight.store.database import Database, Limits
from safelight.store.statements import Change
from safelight.store.tx import Tx
from safelight.testing.pictures import tiny_png
from tests.integration.services.scene import claimed, complete, job, set_scene

T = TypeVar("T")
DAY_S = 86_400.0


@pytest.fixture
def store(tmp_path: Path) -> AssetStore:
    return AssetStore((tmp_path / "store").as_uri())


def play(url: str, scenario: Callable[[Database], Awaitable[T]]) -> T:
    async def run() -> T:
        database = open_database(url, Limits(writers=1, readers=1))
        database.start()
        try:
            return await scenario(database)
        finally:
            await database.stop()

    return asyncio.run(run())


def brought(url: str, store: AssetStore, shade: int = 0, lives_s: float = DAY_S, user: str = "ann") -> Upload:
    """An upload with its file; one that lives for less than nothing has expired."""
    data = tiny_png(shade)
    upload_id, sha256 = new_id(), hashlib.sha256(data).hexdigest()
    key = upload_key(upload_id, sha256, "image/png")
    new = NewUpload(upload_id, user, key, "image/png", len(data), 8, 8, sha256)

    async def bring(database: Database) -> Upload:
        made = await database.write(uploads.reserve_upload, new, lives_s, 10**6)
        assert isinstance(made, Upload)
        await store.put(made.key, data)
        await database.write(uploads.keep_upload, made.id)
        return made

    return play(url, bring)


def files(store: AssetStore) -> list[str]:
    async def keys() -> list[str]:
        return [file.key async for file in store.list("uploads")]

    return asyncio.run(keys())


def test_a_picture_goes_with_the_last_job_that_names_it(database_url: str, store: AssetStore) -> None:
    upload = brought(database_url, store, lives_s=-1)
    collect = lambda database: ExpiredUploads(database, store).run_once()  # noqa: E731

    async def life(database: Database) -> None:
        def two_jobs(tx: object) -> None:
            set_scene(tx)  # type: ignore[arg-type]
            for name in ("one", "two"):
                assert complete(tx, *claimed(tx, name, uploads=(upload.number,)))  # type: ignore[arg-type]

        await database.write(two_jobs)
        for name, left in (("one", 0), ("two", 1)):
            assert await collect(database) == 0
            number = await database.read(lambda tx, name=name: job(tx, name).number)
            now = await database.read(lambda tx: tx.now)
            assert await database.write(prune.mark, [number], prune.Cutoffs(*[now + 60] * 4)) == 1
            assert await database.write(prune.remove, [number]) == 1
            assert await collect(database) == left

    play(database_url, life)
    assert files(store) == []


def test_a_picture_goes_whose_job_was_removed_by_a_release_that_knows_no_inputs(
    database_url: str, store: AssetStore
) -> None:
    used, kept = brought(database_url, store, lives_s=-1), brought(database_url, store, shade=1, lives_s=-1)

    async def life(database: Database) -> int:
        def removed(tx: Tx) -> None:
            set_scene(tx)
            assert complete(tx, *claimed(tx, "one", uploads=(used.number, kept.number)))
            assert complete(tx, *claimed(tx, "two", uploads=(kept.number,)))
            tx.run(Change(sa.delete(tables.jobs).where(tables.jobs.c.id == "one")))

        await database.write(removed)
        return await ExpiredUploads(database, store).run_once()

    assert play(database_url, life) == 1
    assert files(store) == [kept.key]


def test_a_run_that_was_cut_off_is_ended_by_the_next(database_url: str, store: AssetStore) -> None:
    upload = brought(database_url, store, lives_s=-1)

    async def cut_off(database: Database) -> int:
        assert await database.write(uploads.mark_expired, [upload.number]) == 1
        await store.delete([upload.key])
        return await ExpiredUploads(database, store).run_once()

    assert play(database_url, cut_off) == 1


def test_a_picture_that_is_on_its_way_out_is_neither_found_nor_used(database_url: str, store: AssetStore) -> None:
    upload = brought(database_url, store, lives_s=-1)

    async def leaving(database: Database) -> None:
        await database.write(uploads.mark_expired, [upload.number])
        assert await database.read(uploads.upload_of, upload.id, "ann") is None
        assert await database.write(uploads.lock_uploads, [upload.number]) == set()

    play(database_url, leaving)
    assert brought(database_url, store).id != upload.id


def test_a_backup_takes_them_along_with_the_jobs_that_name_them(
    database_url: str, sqlite_template: Path, store: AssetStore, tmp_path: Path
) -> None:
    upload = brought(database_url, store)
    made = back_up(database_url, tmp_path / "backup", files_in=store.root)
    assert (made.files, made.missing_files) == (1, 0)
    there, elsewhere = AssetStore((tmp_path / "there").as_uri()), f"sqlite:///{tmp_path}/elsewhere.db"
    restore(elsewhere, tmp_path / "backup", there, is_live=lambda *_: False, recover=False)
    assert files(there) == [upload.key]
    assert play(elsewhere, lambda database: database.read(uploads.upload_of, upload.id, "ann")) is not None


def test_files_that_no_row_knows_are_orphans_once_they_are_old(database_url: str, store: AssetStore) -> None:
    known = brought(database_url, store)
    unknown = upload_key(new_id(), "0" * 64, "image/png")
    strange = [unknown, incoming_key(new_id())]

    async def put() -> None:
        for key in (*strange, "uploads/somebody-elses.txt"):
            await store.put(key, b"x") if "txt" in key else await store.put(key, tiny_png())

    asyncio.run(put())
    assert store.root is not None
    for key in files(store):
        os.utime(store.root / key, (1.0, 1.0))
    done = play(database_url, lambda database: collect_orphans(database, store, DAY_S))
    assert done.files == 2
    assert sorted(files(store)) == sorted([known.key, "uploads/somebody-elses.txt"])
