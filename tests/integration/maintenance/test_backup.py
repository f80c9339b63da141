"""Backup and restore, between both kinds of database: what comes back is what was there at one moment, or nothing."""
# ruff: noqa: S311 - dice, not secrets

from __future__ import annotations

import asyncio
import io
import json
import stat
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from safelight.domain.errors import BadBackup, Conflict, NotMigrated
from safelight.domain.jobs import TERMINAL, Status
from safelight.maintenance import backup as backup_module
from safelight.maintenance.archive_reading import Archive
from safelight.maintenance.backup import BESIDE_SQLITE, back_up
from safelight.maintenance.restore import Restored, restore
from safelight.services import prune
from safelight.services.cancel import cancel
from safelight.services.claim import claim
from safelight.services.credits import LOCAL_USER, top_up_local
from safelight.services.finish import Ending, finish
from safelight.services.installation import open_queues, shared_secret
from safelight.services.presence import Process
from safelight.services.prune import KINDS, Cutoffs
from safelight.services.submit import submit
from safelight.storage.assets import AssetStore
from safelight.store import refill
from safelight.store.connect import open_database
from safelight.store.database import Database
from safelight.store.migrate import current
from safelight.store.snapshot import snapshot
from safelight.testing.books import assert_books_balance
from safelight.testing.databases import LentDatabases
from tests.integration.services.scene import (
    all_jobs,
    an_asset,
    claimed,
    complete,
    events_of,
    hire,
    job,
    running,
    set_scene,
    submitted,
    told,
    wish,
)

AWKWARD = 'a "quoted"\\ cat\u2028on\x85two\r\nlines, {curly}, NULL, ünicode 🐈, 100 % wool'
PATIENCE_S = 60.0
Rows = dict[str, list[tuple[Any, ...]]]


def nobody_beats(process: Process, now: float) -> bool:
    return False


def everybody_beats(process: Process, now: float) -> bool:
    return True


@pytest.fixture(params=["sqlite", "postgres"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database that is new: a file that is not there yet, or an empty one on the server."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/elsewhere/safelight.db"
        return
    databases: LentDatabases = request.getfixturevalue("postgres_databases")
    with databases.lent() as url:
        yield url


@pytest.fixture
def store(tmp_path: Path) -> AssetStore:
    return AssetStore((tmp_path / "store").as_uri())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "safelight.backup"


def restored(url: str, file: Path, store: AssetStore, **given: Any) -> Restored:
    return restore(url, file, store, **{"is_live": nobody_beats, "recover": False, **given})


def rows_of(url: str) -> Rows:
    """All rows of all tables that a backup keeps, in one order."""
    with snapshot(url) as state:
        return {table.name: sorted(state.rows(table), key=repr) for table in refill.kept_tables()}


def lived_in(database: Database) -> None:
    """Something in every state there is, and a job that was pruned again."""
    with database.transaction() as tx:
        set_scene(tx, users=("ann", "bob"))
        shared_secret(tx, "a-very-secret-secret")
        top_up_local(tx, "local-1")
        assert complete(tx, *claimed(tx, "done", prompt=AWKWARD, key="key-1", outputs=2), pictures=2)
        running(tx, "sending", repeatable=False)
        submitted(tx, "waiting", start_at=tx.now + 3600)
        submitted(tx, "canceled", user="bob")
        cancel(tx, "canceled", "bob")
        assert complete(tx, *claimed(tx, "pruned"))
        number = job(tx, "pruned").number
        assert prune.mark(tx, [number], Cutoffs(*[tx.now + 60] * len(KINDS))) == 1
        assert prune.remove(tx, [number]) == 1


def test_every_row_comes_back_as_it_was_on_either_kind_of_database(
    database: Database, database_url: str, elsewhere: str, file: Path, store: AssetStore, tmp_path: Path
) -> None:
    lived_in(database)
    before = rows_of(database_url)
    made = back_up(database_url, file)
    assert made.rows == {name: len(rows) for name, rows in before.items()}
    restored(elsewhere, file, store)
    assert rows_of(elsewhere) == before
    with closing(open_database(elsewhere)) as there, there.reading() as tx:
        assert job(tx, "done").prompt == AWKWARD
        assert_books_balance(tx)


def test_there_and_back_again_nothing_has_changed(
    sqlite_url: str, postgres_url: str, tmp_path: Path, store: AssetStore
) -> None:
    with closing(open_database(sqlite_url)) as database:
        lived_in(database)
    before = rows_of(sqlite_url)
    back_up(sqlite_url, tmp_path / "there")
    restored(postgres_url, tmp_path / "there", store)
    back_up(postgres_url, tmp_path / "back")
    restored(f"sqlite:///{tmp_path}/back.db", tmp_path / "back", store)
    assert rows_of(f"sqlite:///{tmp_path}/back.db") == before


def test_numbers_are_not_given_again_not_even_those_of_pruned_jobs(
    database: Database, database_url: str, elsewhere: str, file: Path, store: AssetStore
) -> None:
    lived_in(database)
    with database.reading() as tx:
        highest = max(row.number for row in all_jobs(tx))
    back_up(database_url, file)
    restored(elsewhere, file, store)
    with closing(open_database(elsewhere)) as there, there.transaction() as tx:
        hire(tx, "w2")
        (taken,) = claimed(tx, "new", worker="w2")
        assert taken.number == highest + 2, "the highest one was pruned before the backup"
        assert complete(tx, taken)
        assert_books_balance(tx)


class Stream(threading.Thread):
    """One process that submits, claims, delivers with files, fails and cancels until it is told to stop."""

    def __init__(self, url: str, name: str, store: AssetStore) -> None:
        super().__init__(name=name)
        self._url, self._store = url, store
        self._enough, self.warm = threading.Event(), threading.Event()
        self.error: BaseException | None = None

    def end(self) -> None:
        self._enough.set()
        self.join(PATIENCE_S)
        assert self.error is None, repr(self.error)

    def run(self) -> None:
        try:
            with closing(open_database(self._url)) as database:
                self._live(database, Random(self.name))
        except BaseException as error:
            self.error = error
        finally:
            self.warm.set()

    def _live(self, database: Database, random: Random) -> None:
        rounds = 0
        while not self._enough.is_set():
            names = [f"{self.name}-{rounds}-{n}" for n in range(3)]
            with database.transaction() as tx:
                submit(tx, [wish(name, self.name, price=random.randrange(9)) for name in names])
                taken = claim(tx, self.name, ["image"], 2)
            for each in taken:
                asset = an_asset(f"{each.id}/{self.name}-0-{each.fence:08}")
                asyncio.run(self._store.put(asset.key, each.id.encode()))
                with database.transaction() as tx:
                    fails = random.random() < 0.2
                    ending = Ending(each.number, each.fence, Status.FAILED, (), "{}", None)
                    good = Ending(each.number, each.fence, Status.COMPLETED, [asset], None, None)
                    finish(tx, [ending if fails else good])
            with database.transaction() as tx:
                cancel(tx, random.choice(names), self.name)
            rounds += 1
            if rounds == 3:
                self.warm.set()


def test_a_backup_taken_while_jobs_run_holds_one_moment_of_them(
    database: Database, database_url: str, elsewhere: str, tmp_path: Path, store: AssetStore
) -> None:
    with database.transaction() as tx:
        set_scene(tx, users=("s1", "s2"), credits=1_000_000, workers=("s1", "s2"))
    streams = [Stream(database_url, name, store) for name in ("s1", "s2")]
    for stream in streams:
        stream.start()
    try:
        assert all(stream.warm.wait(PATIENCE_S) for stream in streams)
        for n in range(3):
            made = back_up(database_url, tmp_path / f"backup-{n}", files_in=store.root)
            assert made.missing_files == 0
    finally:
        for stream in streams:
            stream.end()
    for n in range(3):
        copy = AssetStore((tmp_path / f"copy-{n}").as_uri())
        restored(elsewhere, tmp_path / f"backup-{n}", copy, replace=n > 0)
        assert copy.root is not None
        with closing(open_database(elsewhere)) as there, there.reading() as tx:
            assert_books_balance(tx)
            rows = all_jobs(tx)
            assert rows
            for row in rows:
                endings = [event for event in told(tx, row.number) if event in TERMINAL]
                assert endings == ([row.status] if row.status in TERMINAL else [])
                assert max(event.sequence for event in events_of(tx, row.number)) == row.sequence
            for key, owner in _delivered(elsewhere):
                assert (copy.root / key).read_text() == owner


def _delivered(url: str) -> list[tuple[str, str]]:
    """Each asset's key, and its job's id, which those files hold."""
    with snapshot(url) as state:
        names = {row[0]: row[1] for row in state.rows(refill.metadata.tables["jobs"])}
        table = refill.metadata.tables["assets"]
        columns = [column.name for column in table.columns]
        rows = [dict(zip(columns, row, strict=True)) for row in state.rows(table)]
    assert rows
    return [(row["key"], names[row["job"]]) for row in rows]


def test_workers_are_not_restored(
    database: Database, database_url: str, elsewhere: str, file: Path, store: AssetStore
) -> None:
    lived_in(database)
    back_up(database_url, file)
    restored(elsewhere, file, store)
    with snapshot(elsewhere) as state:
        assert list(state.rows(refill.metadata.tables["workers"])) == []


def test_a_database_with_work_in_it_is_only_replaced_when_asked_to(
    database: Database, database_url: str, elsewhere: str, file: Path, store: AssetStore
) -> None:
    lived_in(database)
    back_up(database_url, file)
    restored(elsewhere, file, store)
    with closing(open_database(elsewhere)) as there, there.transaction() as tx:
        hire(tx, "w3")
        submitted(tx, "later")
    before = rows_of(elsewhere)
    with pytest.raises(Conflict, match="not empty") as refused:
        restored(elsewhere, file, store)
    assert "--replace" in str(refused.value.remedy)
    assert rows_of(elsewhere) == before
    restored(elsewhere, file, store, replace=True)
    assert rows_of(elsewhere) == rows_of(database_url)


def test_what_a_start_makes_by_itself_does_not_count_as_work(
    database_url: str, elsewhere: str, file: Path, store: AssetStore
) -> None:
    back_up(database_url, file)
    restored(elsewhere, file, store)
    with closing(open_database(elsewhere)) as there, there.transaction() as tx:
        open_queues(tx, ["image"])
        shared_secret(tx, "drawn-at-the-start")
    restored(elsewhere, file, store)
    assert rows_of(elsewhere) == rows_of(database_url)
    with closing(open_database(elsewhere)) as there, there.transaction() as tx:
        assert top_up_local(tx, f"{LOCAL_USER}-1")
    with pytest.raises(Conflict, match="not empty"):
        restored(elsewhere, file, store)


def test_a_database_on_which_processes_beat_is_left_alone(
    database: Database, database_url: str, file: Path, store: AssetStore
) -> None:
    lived_in(database)
    back_up(database_url, file)
    before = rows_of(database_url)
    with pytest.raises(Conflict, match="worker host/1 works on this database"):
        restored(database_url, file, store, replace=True, is_live=everybody_beats)
    assert rows_of(database_url) == before


@pytest.fixture
def whole(sqlite_url: str, file: Path, store: AssetStore) -> Path:
    """A sound backup with files in it."""
    with closing(open_database(sqlite_url)) as database:
        lived_in(database)
    asyncio.run(store.put("assets/done-1-0.png", b"picture" * 1000))
    back_up(sqlite_url, file, files_in=store.root)
    return file


def in_vain(file: Path, elsewhere: str, store: AssetStore, **given: Any) -> str:
    """What the refusal says; nothing was made or changed."""
    before = current(elsewhere)
    rows = rows_of(elsewhere) if before else None
    with pytest.raises(BadBackup) as refused:
        restored(elsewhere, file, store, **given)
    assert current(elsewhere) == before
    assert rows is None or rows_of(elsewhere) == rows
    return refused.value.what


def test_a_backup_that_was_cut_short_anywhere_is_refused_whole(whole: Path, elsewhere: str, store: AssetStore) -> None:
    data = whole.read_bytes()
    for length in (0, 1, 511, 512, len(data) // 2, len(data) - 10_240 - 512):
        whole.write_bytes(data[:length])
        assert "cannot be used" in in_vain(whole, elsewhere, store)


def test_a_byte_changed_anywhere_is_noticed(whole: Path, elsewhere: str, store: AssetStore) -> None:
    data = whole.read_bytes()
    with tarfile.open(whole) as tar:
        members = [(member.name, member.offset_data, member.size) for member in tar]
    assert {"manifest.json", "files/assets/done-1-0.png"} < {name for name, _, _ in members}
    for name, offset, size in members:
        spot = offset + size // 2
        whole.write_bytes(data[:spot] + bytes([data[spot] ^ 1]) + data[spot + 1 :])
        if name != "manifest.json":
            assert name in in_vain(whole, elsewhere, store)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [("version", 2, "in version 2"), ("format", "other", "'other'"), ("schema", "9999", "has schema 9999")],
)
def test_a_backup_of_another_form_or_release_is_refused(
    whole: Path, elsewhere: str, store: AssetStore, field: str, value: object, said: str
) -> None:
    rewrite_manifest(whole, lambda manifest: manifest | {field: value})
    assert said in in_vain(whole, elsewhere, store)


def test_a_part_that_is_missing_or_more_than_was_written_is_noticed(
    whole: Path, elsewhere: str, store: AssetStore
) -> None:
    rewrite_manifest(whole, lambda m: m | {"members": m["members"] | {"rows/jobs/000000000009.jsonl.gz": "00"}})
    assert "rows/jobs/000000000009.jsonl.gz" in in_vain(whole, elsewhere, store)
    rewrite_manifest(whole, lambda m: m | {"members": {}})
    assert "missing or were changed" in in_vain(whole, elsewhere, store)


def rewrite_manifest(file: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    with tarfile.open(file) as tar:
        parts = [(member, tar.extractfile(member).read()) for member in tar]  # type: ignore[union-attr]
    with tarfile.open(file, "w") as tar:
        for member, data in parts:
            new = json.dumps(change(json.loads(data))).encode() if member.name == "manifest.json" else data
            member.size = len(new)
            tar.addfile(member, io.BytesIO(new))


def test_a_file_is_not_overwritten_unless_asked_and_only_its_owner_can_read_it(
    database_url: str, file: Path, tmp_path: Path
) -> None:
    file.write_text("precious")
    with pytest.raises(Conflict, match="is there already"):
        back_up(database_url, file)
    assert file.read_text() == "precious"
    back_up(database_url, file, overwrite=True)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Archive(file).manifest.rows["jobs"] == 0
    assert list(tmp_path.glob(".*partial")) == []


@pytest.mark.parametrize("end", BESIDE_SQLITE)
def test_the_database_itself_is_never_overwritten_with_its_backup(
    sqlite_url: str, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with closing(open_database(sqlite_url)) as database:
        lived_in(database)
        monkeypatch.chdir(path.parent)
        for target in (path, Path(path.name)):
            with pytest.raises(Conflict, match="belongs to the database"):
                back_up(sqlite_url, Path(f"{target}{end}"), overwrite=True)
        with database.reading() as tx:
            assert all_jobs(tx)
    assert list(path.parent.glob(".*partial")) == []


def test_a_name_that_was_taken_meanwhile_is_not_overwritten_either(
    database: Database, database_url: str, file: Path
) -> None:
    lived_in(database)
    with pytest.raises(Conflict, match="is there already"):
        back_up(database_url, file, progress=lambda _: file.exists() or file.write_text("faster"))
    assert file.read_text() == "faster"


def test_a_backup_that_fails_leaves_nothing_behind(
    database: Database, database_url: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived_in(database)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup_module, "_add_rows", full)
    with pytest.raises(OSError, match="No space left"):
        back_up(database_url, file)
    assert [path for path in file.parent.iterdir() if "backup" in path.name] == []


def test_a_file_that_is_no_longer_there_is_counted_and_the_rest_goes_on(
    database: Database, database_url: str, elsewhere: str, file: Path, store: AssetStore
) -> None:
    lived_in(database)
    asyncio.run(store.put("assets/done-1-0.png", b"picture"))
    made = back_up(database_url, file, files_in=store.root)
    assert (made.files, made.missing_files, made.file_bytes) == (1, 1, 7)
    assert restored(elsewhere, file, store).manifest.files == 1


def test_a_database_without_this_programs_schema_is_not_backed_up(tmp_path: Path, file: Path) -> None:
    with pytest.raises(NotMigrated):
        back_up(f"sqlite:///{tmp_path}/typo.db", file)
    assert not (tmp_path / "typo.db").exists()
    assert not file.exists()


def test_a_restore_that_fails_on_the_way_changes_nothing(
    database: Database, database_url: str, file: Path, store: AssetStore
) -> None:
    lived_in(database)
    back_up(database_url, file)
    before = rows_of(database_url)

    total = sum(len(rows) for rows in before.values())
    seen: list[str] = []
    restored(database_url, file, store, replace=True, progress=seen.append)
    assert seen[-1] == f"{total} of {total} rows"

    def interrupt(said: str) -> None:
        if said == seen[-2]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restored(database_url, file, store, replace=True, progress=interrupt)
    assert rows_of(database_url) == before


def test_every_table_is_kept_but_the_processes() -> None:
    kept = {table.name for table in refill.kept_tables()}
    assert set(refill.metadata.tables) - kept == {"workers"}
    assert all(isinstance(table, sa.Table) for table in refill.kept_tables())
