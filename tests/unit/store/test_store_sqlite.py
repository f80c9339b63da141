"""SQLite's own worries: its file, its one writer among processes, its write-ahead log, its errors."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import quantiles

import pytest
from structlog.testing import capture_logs

from safelight.domain.errors import Unavailable
from safelight.store.checkpoint import Checkpointer
from safelight.store.connect import open_database
from safelight.store.database import Database, Limits
from safelight.store.sqlite import SqliteDatabase
from safelight.store.turnstile import Turnstile
from safelight.store.tx import Tx
from tests.unit.store import toy_store
from tests.unit.store.running import LIMIT_S, run
from tests.unit.store.toy_store import count_notes, insert_note, note, rename

LOG_BYTES = 4 * 1024 * 1024
ROWS, ROWS_PER_WRITE = 50_000, 100
ROOT = Path(__file__).parents[3]
HOLD = """
import sys, time
from pathlib import Path
from safelight.store.turnstile import Turnstile
with Turnstile(Path(sys.argv[1])).held():
    print("held", flush=True)
    sys.stdin.read()
"""

HOLD_TRANSACTION = """
import sys
from safelight.store.connect import open_database
from tests.unit.store.test_store_sqlite import write
with open_database(sys.argv[1]).transaction() as tx:
    write(tx, "theirs")
    print("written", flush=True)
    sys.stdin.read()
"""

STUCK_IN_LINE = """
import sys
from pathlib import Path
from safelight.store.turnstile import _locked, fcntl
opened = _locked(Path(sys.argv[1] + "-next"), fcntl.LOCK_EX)
print("next", flush=True)
sys.stdin.read()
"""

FLOOD = """
import asyncio, sys
from safelight.store.connect import open_database
from tests.unit.store.test_store_sqlite import count, write

async def flood(database, n):
    while True:
        await database.write(write, f"flood-{n}")
        n += 1000

async def main():
    database = open_database(sys.argv[1])
    database.start()
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    floods = [asyncio.create_task(flood(database, first + n)) for n in range(200)]
    while await database.read(count) < 400:
        await database.write(count)
    print("flooding", flush=True)
    await asyncio.gather(*floods)

asyncio.run(main())
"""


def write(tx: Tx, id: str) -> None:
    tx.run(insert_note, **note(id))


def count(tx: Tx) -> int:
    return tx.all(count_notes)[0].n


@pytest.fixture
def database(sqlite_database: Database) -> SqliteDatabase:
    assert isinstance(sqlite_database, SqliteDatabase)
    return sqlite_database


@contextmanager
def child(source: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A second process that has said that it is ready."""
    command = [sys.executable, "-c", source, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            yield process
        finally:
            process.kill()


def test_the_file_and_its_folders_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/a/b/new.db")
    toy_store.create(database)
    with database.transaction() as tx:
        write(tx, "a")
        made = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a/b").iterdir()}
    database.close()
    assert set(made) == {"new.db", "new.db-wal", "new.db-shm", "new.db-writer", "new.db-next"}
    assert set(made.values()) == {0o600}


def test_a_folder_that_cannot_be_written_is_told_to_the_operator(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    database = open_database(f"sqlite:///{tmp_path}/file/new.db")
    with pytest.raises(Unavailable) as refused, database.transaction():
        pass
    assert str(tmp_path) in refused.value.what


def test_a_file_that_is_no_database_is_told_to_the_operator(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("not a database, but long enough to be taken for one" * 100)
    with pytest.raises(Unavailable) as refused, open_database(f"sqlite:///{tmp_path}/x.db").transaction():
        pass
    assert refused.value.evidence["code"] == "SQLITE_NOTADB"


def test_the_lock_file_names_its_holder_while_a_transaction_is_open(database: SqliteDatabase) -> None:
    turnstile = Turnstile(database.path)
    before = time.time()
    with database.transaction():
        holder = turnstile.holder()
    assert holder is not None
    assert holder.pid == os.getpid()
    assert before - 1e-5 <= holder.since <= time.time() + 1e-5
    assert turnstile.holder() is None


def test_a_holder_that_is_killed_lets_the_next_one_pass(database: SqliteDatabase) -> None:
    turnstile = Turnstile(database.path)
    with child(HOLD, str(database.path)) as process:
        held = turnstile.holder()
        assert held is not None
        assert held.pid == process.pid
        process.send_signal(signal.SIGKILL)

        async def work() -> None:
            await database.write(write, "a")
            assert await database.read(count) == 1

        run(database, work)


@contextmanager
def frozen(database: SqliteDatabase) -> Iterator[subprocess.Popen[str]]:
    """A process that was stopped while it had the turn to write."""
    with child(HOLD, str(database.path)) as process:
        process.send_signal(signal.SIGSTOP)
        yield process


def test_writes_that_wait_for_a_frozen_process_are_told_who_it_is_and_are_not_done_later(
    database: SqliteDatabase,
) -> None:
    hasty = SqliteDatabase(database.path, Limits(away_s=0.3))

    async def work() -> None:
        with frozen(hasty) as process:
            writes = [hasty.write(write, f"n{n}") for n in range(3)]
            answers = await asyncio.gather(*writes, hasty.write_first(write, "beat"), return_exceptions=True)
            assert [type(answer) for answer in answers] == [Unavailable] * 4
            with pytest.raises(Unavailable, match=f"process {process.pid} ") as refused:
                await hasty.write(write, "later")
            assert refused.value.evidence["pid"] == process.pid
            assert await hasty.read(count) == 0
        await hasty.write(write, "a")
        assert await hasty.read(count) == 1

    run(hasty, work)


def test_writes_wait_for_a_frozen_process_and_go_on_with_it(database: SqliteDatabase) -> None:
    quick = SqliteDatabase(database.path, Limits(busy_s=0.05))

    async def work() -> None:
        with frozen(quick) as process:
            writes = [asyncio.create_task(quick.write(write, f"n{n}")) for n in range(3)]
            hindrance = await hindered(quick)
            assert hindrance.evidence["pid"] == process.pid
            process.send_signal(signal.SIGCONT)
            process.communicate("", timeout=LIMIT_S)  # it ends its turn
            await asyncio.gather(*writes)
            assert await quick.read(count) == 3
            assert quick.hindrance() is None

    run(quick, work)


def test_a_process_without_file_descriptors_left_still_looks_for_what_hinders_it(database: SqliteDatabase) -> None:
    with Turnstile(database.path).held():
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        try:
            assert database.hindrance() is None
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_frozen_process_that_is_killed_in_its_transaction_undoes_it_and_others_go_on(
    database: SqliteDatabase,
) -> None:
    async def work() -> None:
        with child(HOLD_TRANSACTION, f"sqlite:///{database.path}") as process:
            process.send_signal(signal.SIGSTOP)
            writing = asyncio.create_task(database.write(write, "mine"))
            await asyncio.to_thread(_until_next_is_locked, database.path)
            process.kill()
            await writing
            assert await database.read(count) == 1, "what the killed one wrote was never committed"

    run(database, work)


def test_the_beat_goes_first_among_those_that_waited_for_the_turn(database: SqliteDatabase) -> None:
    order: list[str] = []

    def first_come(tx: Tx) -> None:
        order.append("first come")

    def beat(tx: Tx) -> None:
        order.append("beat")

    async def work() -> None:
        with child(HOLD, str(database.path)):
            waiting = [asyncio.create_task(database.write(first_come))]
            await asyncio.to_thread(_until_next_is_locked, database.path)
            waiting.append(asyncio.create_task(database.write_first(beat)))
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)
        assert order == ["beat", "first come"]

    run(database, work)


def test_stopping_does_not_wait_for_a_frozen_process(database: SqliteDatabase) -> None:
    hasty = SqliteDatabase(database.path, Limits(stop_s=0.2))

    async def work() -> None:
        hasty.start()
        with frozen(hasty) as process:
            writing = asyncio.create_task(hasty.write(write, "a"))
            await asyncio.to_thread(_until_next_is_locked, hasty.path)
            async with asyncio.timeout(LIMIT_S):
                await hasty.stop()
            with pytest.raises(Unavailable, match=f"process {process.pid} "):
                await writing

    with capture_logs() as logs:
        asyncio.run(work())
        for thread in hasty._threads:
            thread.join(LIMIT_S)
    assert [(line["event"], line["threads"]) for line in logs] == [("database_threads_hang", ["safelight-write"])]
    with database.reading() as tx:
        assert count(tx) == 0


def test_stopping_does_not_wait_for_a_write_that_hangs(database: SqliteDatabase) -> None:
    hasty = SqliteDatabase(database.path, Limits(stop_s=0.2))
    running, go_on = threading.Event(), threading.Event()

    def hang(tx: Tx) -> None:
        running.set()
        assert go_on.wait(LIMIT_S)

    async def work() -> None:
        hasty.start()
        writing = asyncio.create_task(hasty.write(hang))
        await asyncio.to_thread(running.wait, LIMIT_S)
        await hasty.stop()
        with pytest.raises(Unavailable, match="in the middle of this write"):
            await writing
        go_on.set()
        await asyncio.to_thread(hasty._threads[0].join, LIMIT_S)

    with capture_logs():
        asyncio.run(work())


def test_a_transaction_of_ones_own_is_told_whom_it_waited_for(database: SqliteDatabase) -> None:
    hasty = SqliteDatabase(database.path, Limits(away_s=0.1))
    with frozen(hasty) as process:
        with pytest.raises(Unavailable, match=f"process {process.pid} ") as refused, hasty.transaction():
            pass
        assert refused.value.evidence["code"] == "TURN_TAKEN"
    with database.transaction() as tx:  # whoever stood in line for it has gone on
        write(tx, "a")
    hasty.close()


def test_a_process_that_is_stuck_on_its_way_to_the_turn_is_named(database: SqliteDatabase) -> None:
    turnstile = Turnstile(database.path)
    with child(STUCK_IN_LINE, str(database.path)) as process:
        holder = turnstile.holder()
        assert holder is not None
        assert holder.pid == process.pid


def test_lock_files_that_cannot_be_locked_are_told_to_the_callers_and_the_writer_lives_on(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fcntl.flock

    def refused(file: int, how: int) -> None:
        if how != fcntl.LOCK_UN:
            raise OSError(errno.ENOLCK, "no locks available")
        real(file, how)

    async def work() -> None:
        with monkeypatch.context() as patched:
            patched.setattr(fcntl, "flock", refused)
            answers = await asyncio.gather(*(database.write(write, f"n{n}") for n in range(3)), return_exceptions=True)
            assert [type(answer) for answer in answers] == [Unavailable] * 3
            with pytest.raises(Unavailable, match="no locks available"), database.transaction():
                pass
        await database.write(write, "a")
        assert await database.read(count) == 1

    run(database, work)


def test_a_one_row_write_beside_a_flooding_process_waits_its_turn_only(database: SqliteDatabase) -> None:
    waits: list[float] = []

    async def work() -> None:
        for n in range(40):
            started = time.perf_counter()
            await database.write(write, f"mine-{n}")
            waits.append(time.perf_counter() - started)

    with child(FLOOD, f"sqlite:///{database.path}") as process:
        run(database, work)
        assert process.poll() is None
    median, highest = quantiles(waits, n=20)[9], quantiles(waits, n=20)[18]
    assert median < 0.25, waits
    assert highest < 1.0, waits


def test_the_beat_of_a_third_process_is_in_time_while_two_flood_the_file(database: SqliteDatabase) -> None:
    waits: list[float] = []

    async def work() -> None:
        for n in range(60):
            started = time.perf_counter()
            await database.write_first(write, f"beat-{n}")
            waits.append(time.perf_counter() - started)

    url = f"sqlite:///{database.path}"
    with child(FLOOD, url) as one, child(FLOOD, url, "1000000") as other:
        run(database, work)
        assert (one.poll(), other.poll()) == (None, None)
    assert quantiles(waits, n=100)[98] < 2.0, waits


def test_the_log_stays_short_under_a_flood_although_somebody_always_reads(database: SqliteDatabase) -> None:
    wal = database.path.with_name(database.path.name + "-wal")
    highest_bytes, written, over = 0, 0, threading.Event()
    bounded = SqliteDatabase(database.path)
    bounded._checkpointer = Checkpointer(
        database.path, bounded.turnstile, every_s=0.05, truncate_bytes=LOG_BYTES, patient_s=2.0, patient_again_s=0.0
    )

    def read_for_a_while(tx: Tx) -> None:
        count(tx)
        over.wait(0.3)

    async def always_read() -> None:
        while not over.is_set():
            await bounded.read(read_for_a_while)

    async def flood(n: int) -> None:
        nonlocal highest_bytes, written
        while written < ROWS:
            written += ROWS_PER_WRITE
            await bounded.write(_write_rows, f"{n}-{written}")
            highest_bytes = max(highest_bytes, wal.stat().st_size)

    async def work() -> None:
        readers = [asyncio.create_task(always_read()) for _ in range(3)]
        await asyncio.gather(*(flood(n) for n in range(4)))
        over.set()
        await asyncio.gather(*readers)

    run(bounded, work)
    # At four times readers are waited for; as much may be written again while that is being copied to a slow disk.
    assert highest_bytes < 12 * LOG_BYTES, f"{highest_bytes:,}"
    assert bounded.path.stat().st_size > 12 * LOG_BYTES, "else nothing was shown"


def test_a_full_disk_is_told_to_the_callers_and_the_writer_lives_on(sqlite_url: str) -> None:
    class Small(SqliteDatabase):
        def connect(self) -> sqlite3.Connection:
            connection = super().connect()
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count={pages}")
            return connection

    path = Path(sqlite_url.removeprefix("sqlite:///"))
    toy_store.create(SqliteDatabase(path))
    database = Small(path)

    async def work() -> None:
        await database.write(write, "first")
        big = [asyncio.create_task(database.write(_write_much, f"big-{n}")) for n in range(3)]
        refusals = await asyncio.gather(*big, return_exceptions=True)
        assert [type(refusal) for refusal in refusals] == [Unavailable] * 3
        assert isinstance(refusals[0], Unavailable)
        assert refusals[0].evidence["code"] == "SQLITE_FULL"
        assert await database.write(_rename_first) == 1
        assert await database.read(count) == 1

    with capture_logs():
        run(database, work)


def test_a_lost_transaction_runs_the_others_again_one_by_one(database: SqliteDatabase) -> None:
    def lose(tx: Tx) -> None:
        tx.execute("ROLLBACK")  # type: ignore[attr-defined]  # as SQLite itself does after some errors

    async def work() -> None:
        answers = await asyncio.gather(
            *(database.write(write, f"a{n}") for n in range(3)),
            database.write(lose),
            *(database.write(write, f"b{n}") for n in range(3)),
            return_exceptions=True,
        )
        assert [answer is None for answer in answers] == [True] * 3 + [False] + [True] * 3
        assert await database.read(count) == 6

    with capture_logs():
        run(database, work)


def test_another_program_that_keeps_the_file_locked_is_told_to_those_who_waited_long_enough(sqlite_url: str) -> None:
    database = open_database(sqlite_url, Limits(busy_s=0.05, away_s=0.3))
    toy_store.create(database)
    path = sqlite_url.removeprefix("sqlite:///")

    async def work() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as foreign:
            foreign.execute("BEGIN IMMEDIATE")
            answers = await asyncio.gather(*(database.write(write, f"n{n}") for n in range(5)), return_exceptions=True)
            assert {type(answer) for answer in answers} == {Unavailable}
            assert isinstance(answers[0], Unavailable)
            assert answers[0].evidence["code"] in ("SQLITE_BUSY", "TURN_TAKEN")
            foreign.execute("ROLLBACK")
        await database.write(write, "a")
        assert await database.read(count) == 1

    run(database, work)


def test_a_file_that_another_program_locks_is_waited_for_and_what_hinders_is_told_meanwhile(sqlite_url: str) -> None:
    database = open_database(sqlite_url, Limits(busy_s=0.05))
    toy_store.create(database)

    async def work() -> None:
        assert database.hindrance() is None
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as foreign:
            foreign.execute("BEGIN EXCLUSIVE")
            writes = [asyncio.create_task(database.write(write, f"n{n}")) for n in range(5)]
            beat = asyncio.create_task(database.write_first(write, "beat"))
            hindrance = await hindered(database)
            assert "locked" in str(hindrance)
            assert "end it" in str(hindrance.remedy)
            assert await database.read(count) == 0
            foreign.execute("ROLLBACK")
        await asyncio.gather(*writes, beat)
        assert await database.read(count) == 6
        assert database.hindrance() is None

    run(database, work)


def test_the_data_version_moves_when_another_connection_commits(database: SqliteDatabase) -> None:
    before = database.data_version()
    assert database.data_version() == before
    with database.transaction() as tx:
        write(tx, "a")
    assert database.data_version() != before


def test_a_checkpoint_copies_the_log_and_cuts_it_when_it_is_long(database: SqliteDatabase) -> None:
    wal = database.path.with_name(database.path.name + "-wal")
    with database.transaction() as tx:
        write(tx, "a")
    with closing(database.connect()) as connection:
        assert wal.stat().st_size > 0
        assert Checkpointer(database.path, database.turnstile).checkpoint(connection)
        assert wal.stat().st_size > 0
        assert Checkpointer(database.path, database.turnstile, truncate_bytes=0).checkpoint(connection)
        assert wal.stat().st_size == 0


def test_a_checkpointer_that_cannot_connect_tries_again(database: SqliteDatabase) -> None:
    refusals = [sqlite3.OperationalError("unable to open database file")]
    copied = threading.Event()

    class Refused(Checkpointer):
        def _connect(self) -> sqlite3.Connection:
            if refusals:
                raise refusals.pop()
            return super()._connect()

        def checkpoint(self, connection: sqlite3.Connection) -> bool:
            copied.set()
            return super().checkpoint(connection)

    checkpointer = Refused(database.path, database.turnstile, every_s=0.0, again_s=0.0)
    thread = threading.Thread(target=checkpointer.serve, daemon=True)
    with capture_logs() as logs:
        thread.start()
        checkpointer.wrote()
        assert copied.wait(LIMIT_S)
        checkpointer.stop()
        thread.join(LIMIT_S)
    assert not thread.is_alive()
    assert [line["event"] for line in logs] == ["checkpoint_failed", "checkpoint_failed_no_longer"]


def test_a_checkpoint_that_a_reader_holds_up_says_that_more_is_left(database: SqliteDatabase) -> None:
    checkpointer = Checkpointer(database.path, database.turnstile)
    with closing(database.connect()) as connection:
        with database.reading() as reader:
            assert count(reader) == 0
            with database.transaction() as tx:
                write(tx, "a")
            assert not checkpointer.checkpoint(connection)
        assert checkpointer.checkpoint(connection)


@pytest.mark.parametrize(("again_s", "second_ms"), [(60.0, 100), (0.0, 200)])
def test_a_reader_that_was_waited_for_in_vain_holds_up_writers_again_only_after_a_while(
    database: SqliteDatabase, again_s: float, second_ms: int
) -> None:
    checkpointer = Checkpointer(
        database.path, database.turnstile, truncate_bytes=1, patient_s=0.2, patient_again_s=again_s
    )
    with closing(database.connect()) as connection, database.reading() as reader:
        assert count(reader) == 0
        with database.transaction() as tx:
            write(tx, "a")
        waited_ms = []
        for _ in range(2):
            assert not checkpointer.checkpoint(connection)
            waited_ms += connection.execute("PRAGMA busy_timeout").fetchone()
        assert waited_ms == [200, second_ms]


def test_the_log_is_copied_while_the_database_runs(database: SqliteDatabase) -> None:
    async def work() -> None:
        await database.write(write, "a")
        ends = time.monotonic() + LIMIT_S
        while not await asyncio.to_thread(_copied, database.path):
            assert time.monotonic() < ends
            await asyncio.sleep(0.05)

    run(database, work)


async def hindered(database: Database) -> Unavailable:
    """What stands in the way of writes, once it is known."""
    while not isinstance(hindrance := database.hindrance(), Unavailable):  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    return hindrance


def _copied(path: Path) -> bool:
    """Whether the row is in the database file itself, as someone without the log would see it."""
    with closing(sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)) as connection:
        found: tuple[int] = connection.execute("SELECT count(*) FROM notes").fetchone()
        return found[0] == 1


def _until_next_is_locked(path: Path) -> None:
    """Until a thread of this process stands in line for the turn."""
    ends = time.monotonic() + LIMIT_S
    with path.with_name(path.name + "-next").open() as probe:
        while time.monotonic() < ends:
            try:
                fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            fcntl.flock(probe, fcntl.LOCK_UN)
    raise AssertionError("nobody stands in line")


def _write_rows(tx: Tx, name: str) -> None:
    tx.many(insert_note, [note(f"{name}-{n}", text="x" * 1_000) for n in range(ROWS_PER_WRITE)])


def _write_much(tx: Tx, id: str) -> None:
    tx.run(insert_note, **note(id, text="x" * 1_000_000))


def _rename_first(tx: Tx) -> int:
    return tx.run(rename, id="first", new_text="y")


def test_another_process_that_closes_the_file_leaves_the_log_of_a_database_in_use(tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    database = SqliteDatabase(path)
    with closing(database.connect()) as held:
        held.execute("CREATE TABLE kept (n INTEGER)")
        with closing(database.connect()):  # must not cost the first connection its locks
            log = path.with_name("shared.db-wal").stat().st_ino
            script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM kept'); c.close()"
            subprocess.run([sys.executable, "-c", script, str(path)], check=True, timeout=LIMIT_S)
            assert path.with_name("shared.db-wal").stat().st_ino == log
