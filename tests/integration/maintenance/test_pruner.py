"""The pruner from end to end, with files on disk: it can stop after every step, and the next run does the rest."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

from safelight.domain.errors import Remedy, StorageFailed, Unavailable
from safelight.domain.ids import new_id
from safelight.domain.jobs import Status
from safelight.maintenance.orphans import collect_orphans
from safelight.maintenance.pruned import Pruned
from safelight.maintenance.pruner import Pruner
from safelight.services import prune
from safelight.services.finish import Ending, NewAsset, finish
from safelight.services.prune import KINDS, Cutoffs
from safelight.storage.assets import AssetStore
from safelight.storage.keys import asset_key, thumbnail_key
from safelight.store.connect import open_database
from safelight.store.database import Database, Limits
from safelight.testing.books import assert_books_balance
from tests.integration.services.scene import all_jobs, assets_of, claimed, set_scene, turn_back

T = TypeVar("T")
DAY_S = 86_400.0
PICTURE, THUMBNAIL = b"picture" * 100, b"small"
KEEP_S = dict.fromkeys(KINDS, 30 * DAY_S)
PATIENCE_S = 30.0


@pytest.fixture
def store(tmp_path: Path) -> AssetStore:
    return AssetStore((tmp_path / "store").as_uri())


class Stubborn(AssetStore):
    """A store in which some files cannot be deleted."""

    def __init__(self, store: AssetStore, *, keeps: Callable[[str], bool]) -> None:
        super().__init__(store.url)
        self._keeps = keeps

    async def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            if self._keeps(key):
                raise StorageFailed(f"Cannot delete {key!r}.", remedy=Remedy("Wait."))
            await super().delete([key])


def run(url: str, scenario: Callable[[Database], Awaitable[T]]) -> T:
    """In another process, as far as the database can tell."""

    async def play() -> T:
        database = open_database(url, Limits(writers=1, readers=1))
        database.start()
        try:
            return await scenario(database)
        finally:
            await database.stop()

    return asyncio.run(play())


def key_for(job_id: str, call_id: str = "c1") -> str:
    return asset_key(job_id=job_id, call_id=call_id, n=0, sha256=hashlib.sha256(PICTURE).hexdigest(), mime="image/png")


def put(store: AssetStore, *keys: str) -> None:
    async def put_all() -> None:
        for key in keys:
            await store.put(key, THUMBNAIL if "thumb" in key else PICTURE)

    asyncio.run(put_all())


def delivered(database: Database, store: AssetStore, count: int, *, days_ago: float = 31.0) -> list[str]:
    """The ids of completed jobs, each with a picture and its thumbnail in storage."""
    ids, worker = [new_id() for _ in range(count)], new_id()
    with database.transaction() as tx:
        set_scene(tx, workers=[worker], credits=10 * count)
        for taken in claimed(tx, *ids, worker=worker):
            key = key_for(taken.id)
            asset = NewAsset(
                new_id(), "c1", 0, key, thumbnail_key(key), "image/png", len(PICTURE), 4, 4, None, "sha", False
            )
            assert finish(tx, [Ending(taken.number, taken.fence, Status.COMPLETED, [asset], None, None)]) == [True]
            for column in ("created_at", "finished_at"):
                turn_back(tx, taken.number, column, days_ago * DAY_S)
    put(store, *(key for job_id in ids for key in (key_for(job_id), thumbnail_key(key_for(job_id)))))
    return ids


def files_in(store: AssetStore) -> set[str]:
    assert store.root is not None
    return {str(path.relative_to(store.root)) for path in store.root.rglob("*") if path.is_file()}


def files_of(*job_ids: str) -> set[str]:
    return {key for job_id in job_ids for key in (key_for(job_id), thumbnail_key(key_for(job_id)))}


def prune_once(url: str, store: AssetStore) -> Pruned:
    return run(url, lambda database: Pruner(database, store, KEEP_S).run_once())


def remaining(database: Database) -> list[str]:
    with database.reading() as tx:
        assert_books_balance(tx)
        return [row.id for row in all_jobs(tx)]


def test_old_jobs_go_with_their_files_and_young_ones_keep_theirs(
    database: Database, database_url: str, store: AssetStore
) -> None:
    delivered(database, store, 3)
    young = delivered(database, store, 2, days_ago=29)
    done = prune_once(database_url, store)
    assert (done.jobs, done.files) == ({"completed": 3}, {"completed": 6})
    assert done.bytes.total() == 3 * len(PICTURE + THUMBNAIL)
    assert remaining(database) == young
    assert files_in(store) == files_of(*young)
    assert prune_once(database_url, store) == Pruned()


def test_a_dry_run_says_exactly_what_a_run_then_removes(
    database: Database, database_url: str, store: AssetStore
) -> None:
    ids = delivered(database, store, 3)
    planned = run(database_url, lambda each: Pruner(each, store, KEEP_S).plan())
    assert remaining(database) == ids
    assert files_in(store) == files_of(*ids)
    assert prune_once(database_url, store) == planned
    assert planned.as_dict()["files"] == 6


def test_more_jobs_than_a_slice_go_in_one_run(database: Database, database_url: str, store: AssetStore) -> None:
    ids = delivered(database, store, prune.SLICE + 5)
    seen: list[int] = []

    def progress(done: Pruned) -> None:
        seen.append(done.jobs.total())

    done = run(database_url, lambda each: Pruner(each, store, KEEP_S, progress=progress).run_once())
    assert done.jobs.total() == len(ids)
    assert (remaining(database), files_in(store)) == ([], set())
    assert seen == [prune.SLICE, prune.SLICE + 5]


def test_after_a_crash_behind_any_step_the_next_run_leaves_nothing_over(
    database: Database, database_url: str, store: AssetStore
) -> None:
    """Marked and no more; some files deleted; all files deleted; some rows removed."""
    ids = delivered(database, store, 5)
    with database.transaction() as tx:
        numbers = [row.number for row in all_jobs(tx)]
        assert prune.mark(tx, numbers, Cutoffs(*[tx.now - 30 * DAY_S] * len(KINDS))) == 5
    asyncio.run(store.delete([key_for(ids[0]), *files_of(*ids[1:3])]))
    with database.transaction() as tx:
        assert prune.remove(tx, numbers[2:3]) == 1
    done = prune_once(database_url, store)
    assert (done.jobs.total(), done.files.total()) == (4, 5)
    assert (remaining(database), files_in(store)) == ([], set())


def test_a_job_whose_files_cannot_be_deleted_keeps_its_rows_until_they_can(
    database: Database, database_url: str, store: AssetStore
) -> None:
    ids = delivered(database, store, 3)
    done = prune_once(database_url, Stubborn(store, keeps=lambda key: ids[1] in key))
    assert (done.jobs.total(), done.failed) == (2, 1)
    assert "Cannot delete" in done.failure
    with database.reading() as tx:
        (left,) = all_jobs(tx)
        assert (left.id, left.pruning_at is not None) == (ids[1], True)
        assert {asset.key for asset in assets_of(tx, left.number)} < files_in(store)
    assert prune_once(database_url, store).jobs.total() == 1
    assert (remaining(database), files_in(store)) == ([], set())


def test_a_storage_that_is_away_ends_the_run_after_one_slice(
    database: Database, database_url: str, store: AssetStore
) -> None:
    ids = delivered(database, store, prune.SLICE + 5)
    done = prune_once(database_url, Stubborn(store, keeps=lambda _: True))
    assert (done.jobs.total(), done.failed) == (0, prune.SLICE)
    assert remaining(database) == ids


def test_files_that_are_missing_already_stop_nothing(database: Database, database_url: str, store: AssetStore) -> None:
    ids = delivered(database, store, 2)
    asyncio.run(store.delete(sorted(files_of(*ids))))
    done = prune_once(database_url, store)
    assert (done.jobs.total(), done.files.total(), done.failed) == (2, 0, 0)


def test_leftovers_under_a_jobs_name_go_with_it_but_not_what_another_job_took_over(
    database: Database, database_url: str, store: AssetStore
) -> None:
    (old,) = delivered(database, store, 1)
    leftover, taken_over = key_for(old, "zombie"), key_for(old, "late")
    put(store, leftover, taken_over, thumbnail_key(taken_over))
    with database.transaction() as tx:
        set_scene(tx, workers=["w9"])
        (taken,) = claimed(tx, "heir", worker="w9")
        asset = NewAsset(
            "a9", "late", 0, taken_over, thumbnail_key(taken_over), "image/png", 700, 4, 4, None, "sha", False
        )
        assert finish(tx, [Ending(taken.number, taken.fence, Status.COMPLETED, [asset], None, None)]) == [True]
    assert prune_once(database_url, store).files.total() == 3
    assert files_in(store) == {taken_over, thumbnail_key(taken_over)}
    with database.transaction() as tx:
        turn_back(tx, taken.number, "finished_at", 31 * DAY_S)
    assert prune_once(database_url, store).files.total() == 2, "and with its heir it goes from there"
    assert files_in(store) == set()


def test_a_database_that_is_away_is_said(tmp_path: Path, store: AssetStore) -> None:
    (tmp_path / "no-folder").write_text("")
    with pytest.raises(Unavailable):
        prune_once(f"sqlite:///{tmp_path}/no-folder/safelight.db", store)


def test_a_process_prunes_again_and_again_whatever_failed_before(
    database: Database, database_url: str, store: AssetStore
) -> None:
    delivered(database, store, 2)
    tries: list[str] = []

    class Moody(AssetStore):
        async def delete(self, keys: Sequence[str]) -> None:
            tries.extend(keys)
            if len(tries) == 2:
                raise StorageFailed("Not now.", remedy=Remedy("Wait."))
            await super().delete(keys)

    async def until_all_are_gone(each: Database) -> None:
        gone = asyncio.Event()
        removed = 0

        def progress(done: Pruned) -> None:
            nonlocal removed
            removed += done.jobs.total()
            if removed == 2:
                gone.set()

        pruner = Pruner(each, Moody(store.url), KEEP_S, progress=progress)
        running = asyncio.create_task(pruner.run(first_s=0, every_s=0))
        async with asyncio.timeout(PATIENCE_S):
            await gone.wait()
        running.cancel()
        await asyncio.wait({running})

    run(database_url, until_all_are_gone)
    assert (remaining(database), files_in(store)) == ([], set())


def age(store: AssetStore, keys: Iterable[str], days: float) -> None:
    assert store.root is not None
    for key in keys:
        moment = (store.root / key).stat().st_mtime - days * DAY_S
        os.utime(store.root / key, (moment, moment))


@pytest.mark.parametrize("dry_run", [True, False])
def test_orphans_are_old_files_that_nobody_names_and_nobody_may_come_to_name(
    database: Database, database_url: str, store: AssetStore, dry_run: bool
) -> None:
    (ended,) = delivered(database, store, 1)
    live, unknown = new_id(), new_id()
    with database.transaction() as tx:
        set_scene(tx, workers=["w9"], credits=100)
        claimed(tx, live, worker="w9")
    lost = {key_for(ended, "zombie"), key_for(unknown), thumbnail_key(key_for(unknown))}
    kept = {key_for(live), f"assets/{ended}/notes.txt", "assets/readme.txt", *files_of(ended)}
    young = {key_for(unknown, "young")}
    put(store, *(lost | kept | young))
    age(store, lost | kept, days=3)
    age(store, young, days=1.9)

    async def collect(each: Database) -> tuple[int, int, int]:
        done = await collect_orphans(each, store, DAY_S, dry_run=dry_run)
        return done.seen, done.files, done.bytes

    assert run(database_url, collect) == (9, 3, 2 * len(PICTURE) + len(THUMBNAIL))
    assert files_in(store) == (lost if dry_run else set()) | kept | young


def test_what_a_killed_writer_left_half_written_goes_too(database_url: str, store: AssetStore) -> None:
    assert store.root is not None
    folder = store.root / "assets" / new_id()
    folder.mkdir(parents=True)
    for name in ("film.mp4#1", "young.mp4#2", "notes#x.txt"):
        (folder / name).write_bytes(PICTURE)
    age(store, [str((folder / name).relative_to(store.root)) for name in ("film.mp4#1", "notes#x.txt")], days=3)
    planned = run(database_url, lambda each: collect_orphans(each, store, DAY_S, dry_run=True))
    assert (planned.files, planned.bytes) == (1, len(PICTURE))
    done = run(database_url, lambda each: collect_orphans(each, store, DAY_S))
    assert (done.files, done.bytes) == (1, len(PICTURE))
    assert {path.name for path in folder.iterdir()} == {"young.mp4#2", "notes#x.txt"}


def test_the_age_of_orphans_is_counted_by_the_clock_of_the_store(database_url: str, store: AssetStore) -> None:
    class Behind(AssetStore):
        """Its clock is four days behind ours."""

        async def now(self) -> float:
            return await super().now() - 4 * DAY_S

    orphan = key_for(new_id())
    put(store, orphan)
    age(store, [orphan], days=5)

    assert run(database_url, lambda each: collect_orphans(each, Behind(store.url), DAY_S)).files == 0
    assert run(database_url, lambda each: collect_orphans(each, store, DAY_S)).files == 1
    assert files_in(store) == set(), "nor is anything left that was stored to ask for the time"
