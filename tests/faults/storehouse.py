"""Faults of what everything rests on: the database, the storage, the disk."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from safelight.services.disk import LEAST_FREE_BYTES
from safelight.store.schema import head
from safelight.testing.databases import ThrowawayPostgres, throwaway_postgres
from safelight.testing.object_stores import ThrowawayS3, environment, throwaway_s3
from tests.faults.fault import Injected, fault
from tests.faults.system import CannotBePlayed, System

HOLDS_THE_TURNSTILE = """
import sys
from safelight.store.connect import open_database
database = open_database(sys.argv[1])
with database.transaction() as tx:
    tx.execute("REPLACE INTO installation VALUES ('long', '1')")
    print("holds", flush=True)
    sys.stdin.read()
"""


@fault("DATABASE_UNREACHABLE", "its server is down", on=("postgres",))
def server_down(patient: System) -> Injected:
    server = _server_of_its_own(patient)
    patient.working()
    job = patient.submit(params={"width": 1024, "height": 1024})
    server.stop()
    return Injected(job, by_hand=server.start)


@fault("DATABASE_UNREACHABLE", "the address names another port", on=("postgres",))
def wrong_port(patient: System) -> Injected:
    right = patient.made.database_url
    patient.made.set(database_url="postgresql://postgres@127.0.0.1:9/postgres")
    return Injected(by_hand=lambda: patient.made.set(database_url=right), ends=())


@fault("DATABASE_UNREACHABLE", "what is there is no database", on=("sqlite",))
def no_database(patient: System) -> Injected:
    patient.working()[0].drain()
    patient.made.started[-1].drain()
    file, aside = patient.made.database, patient.made.database.with_suffix(".aside")
    file.rename(aside)
    file.write_bytes(b"This is a shopping list." * 500)

    def bring_back() -> None:
        aside.rename(file)

    return Injected(by_hand=bring_back)


@fault("NOT_MIGRATED", "the program is newer than the database")
def not_migrated(patient: System) -> Injected:
    before = patient.command("db", "upgrade")
    assert before[0] == 0, before[1]
    patient.change(f"UPDATE alembic_version SET version_num = '{int(head()) - 1:04}'")  # noqa: S608 - our own

    def as_it_was() -> None:
        patient.change(f"UPDATE alembic_version SET version_num = '{head()}'")  # noqa: S608 - our own

    return Injected(by_hand=as_it_was)


@fault("CLOCK_SKEW", "the database's clock is two minutes ahead", on=("postgres",))
def skewed(patient: System) -> Injected:
    """Every statement that names no schema finds a clock of ours before the server's own."""
    patient.command("db", "upgrade")
    patient.change(
        "CREATE SCHEMA ahead",
        "CREATE FUNCTION ahead.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS"
        " 'SELECT pg_catalog.clock_timestamp() + make_interval(secs => 120)'",
    )
    right = patient.made.database_url
    patient.made.set(database_url=f"{right}?options=-csearch_path%3Dahead,pg_catalog,public")
    patient.working()

    def set_it() -> None:
        patient.change(
            "CREATE OR REPLACE FUNCTION ahead.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS"
            " 'SELECT pg_catalog.clock_timestamp()'"
        )

    return Injected(evidence={"database_ahead_s": lambda s: 115 < s < 125}, by_hand=set_it)


@fault("DISK_LOW", "no byte more fits onto the disk of the files", on=("sqlite",))
def storage_full(patient: System) -> Injected:
    disk = _small_disk(patient, 2 * LEAST_FREE_BYTES + 60 * 2**20)
    patient.made.set(storage_url=f"file://{disk}/assets")
    patient.working()
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("wb") as file:
        while True:
            file.write(bytes(2**20))
    return Injected(evidence={"free_bytes": lambda n: n < 2**20}, by_hand=ballast.unlink)


@fault("DATABASE_BUSY", "a process keeps the right to write", on=("sqlite",))
def busy(patient: System) -> Injected:
    patient.working()
    job = patient.submit()
    patient.until_status(job, "completed")
    holder = patient.stack.enter_context(_holding(patient.made.database_url))
    patient.until(lambda: _first_code(patient) == "DATABASE_BUSY", "it is noticed")

    def end_it() -> None:
        holder.kill()
        holder.wait()

    return Injected(evidence={"pid": holder.pid, "held_s": lambda s: s >= 5}, by_hand=end_it)


@fault("DISK_LOW", "the disk of the files is nearly full")
def disk_low(patient: System) -> Injected:
    disk = _small_disk(patient, 2 * LEAST_FREE_BYTES + 100 * 2**20)
    patient.made.set(storage_url=f"file://{disk}/assets")
    patient.working()
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(LEAST_FREE_BYTES + 140 * 2**20))
    return Injected(evidence={"free_bytes": lambda n: n < LEAST_FREE_BYTES}, by_hand=ballast.unlink)


@fault("DISK_LOW", "as a job that waits has it", ask="explain")
def disk_low_explained(patient: System) -> Injected:
    disk = _small_disk(patient, 2 * LEAST_FREE_BYTES)
    patient.made.set(storage_url=f"file://{disk}/assets")
    patient.serve()
    job = patient.submit()
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(LEAST_FREE_BYTES + 40 * 2**20))
    patient.worker()
    return Injected(job, {"free_bytes": lambda n: n < LEAST_FREE_BYTES}, by_hand=ballast.unlink)


@fault("STORAGE_DENIED", "the folder of the files is gone")
def folder_gone(patient: System) -> Injected:
    patient.working()
    patient.until_status(patient.submit(), "completed")
    assets = patient.folder / "data" / "assets"
    aside = assets.with_name("aside")
    assets.rename(aside)
    return Injected(by_hand=lambda: _back(aside, assets))


@fault("STORAGE_DENIED", "the object store does not let us in", on=("sqlite",))
def no_entry(patient: System) -> Injected:
    store = _object_store(patient)
    patient.working()
    good = patient.made.environment()
    patient.made.give(environment(store.endpoint, "safelight", "wrong-secret"))
    return Injected(by_hand=lambda: patient.made.give({"AWS_SECRET_ACCESS_KEY": good["AWS_SECRET_ACCESS_KEY"]}))


@fault("STORAGE_DENIED", "there is no such bucket", on=("sqlite",))
def no_bucket(patient: System) -> Injected:
    store = _object_store(patient)
    patient.working()
    patient.made.give(environment(store.endpoint, "visitor", "visitor-secret"))
    patient.made.set(storage_url="s3://another-bucket")
    return Injected(by_hand=lambda: patient.made.set(storage_url=f"s3://{store.bucket}"))


@fault("STORAGE_UNREACHABLE", "the object store is down", on=("sqlite",))
def store_down(patient: System) -> Injected:
    store = _object_store(patient)
    patient.working()
    store.stop()
    job = patient.submit()
    return Injected(job, by_hand=store.start)


def _first_code(patient: System) -> str:
    found = patient.doctor()["findings"]
    return str(found[0]["code"]) if found else ""


def _back(aside: Path, place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    aside.rename(place)


def _server_of_its_own(patient: System) -> ThrowawayPostgres:
    server = patient.stack.enter_context(throwaway_postgres())
    patient.made.set(database_url=server.url)
    return server


def _object_store(patient: System) -> ThrowawayS3:
    store = patient.stack.enter_context(throwaway_s3())
    patient.made.give(store.environment)
    patient.made.set(storage_url=f"s3://{store.bucket}")
    return store


@contextmanager
def _holding(url: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has begun a transaction and does not end it."""
    command = [sys.executable, "-c", HOLDS_THE_TURNSTILE, url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline(), "it ended at once"
            yield process
        finally:
            process.kill()


def _small_disk(patient: System, size: int) -> Path:
    """A disk of its own, in memory. Only root may have one."""
    place = patient.folder / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        raise CannotBePlayed(f"no disk may be mounted: {mounted.stderr.strip()}")
    patient.stack.callback(subprocess.run, ["umount", "-l", str(place)], check=False)
    return place
