"""Among very many ended jobs every statement still finds its few rows by the right index, on both databases.

SQLite is asked with and without statistics, Postgres for the plan it makes of given values and for the one that it
keeps for all values.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from benchmarks.seeding import ENDED, WAITING, execute, seed_jobs, seed_records
from safelight.services import job_filter, job_pages
from safelight.services.job_filter import Walk
from safelight.store import tables
from safelight.store.connect import open_database
from safelight.store.statements import Statement
from safelight.testing.databases import fresh_database
from tests.integration.store.plans import Step, on_postgres, on_sqlite
from tests.support.statements import statements

ENDED_JOBS, LIVE_JOBS = 40_000, 200
GROWS = frozenset({"jobs", "calls", "events", "assets", "ledger", "uploads", "job_inputs", "labels"})
FEW = 1_000
"""More rows than this no plan may sort."""
LIVE = {
    "ready": {},
    "later": {"ready": "FALSE", "due_at": "4000000000"},
    "parked": {"ready": "FALSE", "waiting_for": "'user:' || (n % 10)"},
    "running": {"ready": "FALSE", "status": "'processing'", "worker_id": "'worker-' || (n % 10)"},
    "batch": {"ready": "FALSE", "kind": "'batch'"},
    "item": {"ready": "FALSE", "parent": f"{ENDED_JOBS + 4 * LIVE_JOBS} + n / 10"},
}


class Hot(NamedTuple):
    """A statement, a table whose rows it must find, the indexes that serve, and whether it runs for many at once."""

    statement: str
    table: str
    indexes: Sequence[str]
    many: bool = False


NUMBER = ("INTEGER PRIMARY KEY", "pk_jobs")
HOT = (
    Hot("services.claimable.READY[False]", "jobs", ["ix_jobs_claim", *NUMBER]),
    Hot("services.claimable.READY[True]", "jobs", ["ix_jobs_claim", *NUMBER]),
    Hot("services.claimable.CANDIDATES[False]", "jobs", ["ix_jobs_claim"]),
    Hot("services.claimable.CANDIDATES[True]", "jobs", ["ix_jobs_claim"]),
    Hot("services.claimable.CLAIM_THESE", "jobs", NUMBER),
    Hot("services.claimable.RESUMES[False]", "jobs", ["ix_jobs_resume", *NUMBER]),
    Hot("services.claimable.RESUMES[True]", "jobs", ["ix_jobs_resume", *NUMBER]),
    Hot("services.claimable.SUSPECTS[False]", "jobs", ["ix_jobs_suspect"]),
    Hot("services.claimable.SUSPECTS[True]", "jobs", ["ix_jobs_suspect"]),
    Hot("services.claimable.RESERVED", "jobs", ["ix_jobs_parked"]),
    Hot("services.parking._PARK", "jobs", ["ix_jobs_claim", *NUMBER]),
    Hot("services.parking._PARKED", "jobs", ["ix_jobs_parked"], many=True),
    Hot("services.parking._LET_IN", "jobs", ["ix_jobs_parked", *NUMBER]),
    Hot("services.parking.NEXT_GROUP", "jobs", ["ix_jobs_parked"]),
    Hot("services.gate_parking._PARK", "jobs", ["ix_jobs_claim", *NUMBER]),
    Hot("services.gate_parking._LET_IN", "jobs", ["ix_jobs_parked", *NUMBER]),
    Hot("services.provider_board._WAITING", "jobs", ["ix_jobs_parked"]),
    Hot("services.gates._SENT", "calls", ["sqlite_autoindex_calls_1", "uq_calls_id"]),
    Hot("services.calls._UNPAID", "calls", ["sqlite_autoindex_calls_1", "uq_calls_id"]),
    Hot("services.sweep._EXPIRE_AT_GATE", "jobs", ["ix_jobs_deadline", "ix_jobs_parked", *NUMBER]),
    Hot("services.hand_back._PARK", "jobs", NUMBER),
    Hot("services.parking._RUNNING", "jobs", ["ix_jobs_running"]),
    Hot("services.new_jobs._EXISTING", "jobs", ["sqlite_autoindex_jobs_1", "uq_jobs_id"], many=True),
    Hot("services.repeats._NEWEST", "jobs", ["ix_jobs_request"], many=True),
    Hot("services.calls._HOLD_LEASE", "jobs", NUMBER, many=True),
    Hot("services.calls._SUPERSEDE", "calls", ["ix_calls_job", "uq_calls_open"], many=True),
    Hot("services.calls._ACCEPT", "calls", ["sqlite_autoindex_calls_1", "uq_calls_id"], many=True),
    Hot("services.calls._END", "calls", ["sqlite_autoindex_calls_1", "uq_calls_id"], many=True),
    Hot("services.calls._OPEN_OF_JOB", "calls", ["ix_calls_job", "uq_calls_open"]),
    Hot("services.made_by._LAST", "calls", ["ix_calls_job"]),
    Hot("services.progress._MOVE", "jobs", NUMBER, many=True),
    Hot("services.finish._END", "jobs", NUMBER, many=True),
    Hot("services.ending._SETTLE_CALLS", "calls", ["ix_calls_job", "uq_calls_open"], many=True),
    Hot("services.hand_back._RETURN", "jobs", NUMBER),
    Hot("services.held._HELD", "jobs", ["ix_jobs_held"]),
    Hot("services.hear._OURS", "calls", ["sqlite_autoindex_calls_1", "uq_calls_id"]),
    Hot("services.hear._THEIRS", "calls", ["ix_calls_remote"]),
    Hot("services.replay._FETCHED_BY", "calls", ["ix_calls_remote"]),
    Hot("services.aftercare._DUE", "calls", ["ix_calls_check"]),
    Hot("services.aftercare._TAKE", "calls", ["ix_calls_check", "INTEGER PRIMARY KEY", "pk_calls"]),
    Hot("services.sweep._MAKE_READY", "jobs", ["ix_jobs_due", *NUMBER]),
    Hot("services.sweep._EXPIRE", "jobs", ["ix_jobs_deadline", *NUMBER]),
    Hot("services.sweep._TAKE_BACK", "jobs", NUMBER, many=True),
    Hot("services.sweep._GIVE_UP", "jobs", NUMBER, many=True),
    Hot("services.cancel._CANCEL", "jobs", ["sqlite_autoindex_jobs_1", "uq_jobs_id"]),
    Hot("services.read_jobs._BY_ID", "jobs", ["sqlite_autoindex_jobs_1", "uq_jobs_id", *NUMBER]),
    Hot("page", "jobs", ["ix_jobs_user", *NUMBER]),  # by number: parent and original of each
    Hot("page of a status", "jobs", ["ix_jobs_user_status", *NUMBER]),
    Hot("page of labels", "labels", ["PRIMARY KEY", "pk_labels", "ix_labels_job"]),  # more labels of one job are few
    Hot("page of labels", "jobs", NUMBER),
    Hot("page of labels and a status", "labels", ["PRIMARY KEY", "pk_labels"]),
    Hot("page of labels and a status", "jobs", NUMBER),
    Hot("items", "jobs", ["ix_jobs_parent", *NUMBER, "sqlite_autoindex_jobs_1", "uq_jobs_id"]),
    Hot("own", "jobs", ["ix_jobs_user_status", "ix_jobs_replay"]),
    Hot("own by all", "jobs", ["ix_jobs_user_status", "ix_jobs_replay"]),
    Hot("own of labels", "labels", ["PRIMARY KEY", "pk_labels", "ix_labels_job"]),
    Hot("own of labels", "jobs", ["ix_jobs_replay", *NUMBER]),
    Hot("ended", "jobs", ["ix_jobs_finished", "ix_jobs_replay"]),
    Hot("ended by all", "jobs", ["ix_jobs_finished", "ix_jobs_replay"]),
    Hot("still meant", "jobs", NUMBER),
    Hot("services.job_filter._THESE", "jobs", ["ix_jobs_replay", *NUMBER]),
    Hot("services.recovery_effect._REQUEUE", "jobs", NUMBER),
    Hot("services.recovery_effect._FAIL", "jobs", NUMBER),
    Hot("services.cancel._CANCEL_THESE", "jobs", NUMBER),
    Hot("services.recovery_effect._RETRY", "jobs", NUMBER),
    Hot("services.sweep._CANCEL", "jobs", ["ix_jobs_unheeded", *NUMBER]),
    Hot("services.read_jobs._PLACE", "jobs", ["ix_jobs_claim", "ix_jobs_running"]),
    Hot("services.durations._RUNS", "jobs", [*NUMBER, ""]),  # SQLite names no index where it looks for the newest
    Hot("services.read_jobs._ASSETS_OF", "assets", ["ix_assets_job"]),
    Hot("services.read_jobs._COST_OF", "calls", ["ix_calls_job"]),
    Hot("events.log._AFTER", "events", ["PRIMARY KEY", "pk_events"]),
    Hot("diagnosis.explain.look_job._JOB", "jobs", ["sqlite_autoindex_jobs_1", "uq_jobs_id"]),
    Hot("diagnosis.explain.look_job._CALLS", "calls", ["ix_calls_job"]),
    Hot("diagnosis.explain.look_job._EVENTS", "events", ["PRIMARY KEY", "pk_events"]),
    Hot("diagnosis.explain.look_job._LIVE_ITEM", "jobs", ["ix_jobs_live_items", "ix_jobs_parent"]),
    Hot("diagnosis.explain.look_job._FAILED_ITEM", "jobs", ["ix_jobs_parent"]),
    Hot("diagnosis.explain.find_job._REMOTE", "calls", ["ix_calls_remote"]),
    Hot("diagnosis.explain.find_job._ASSET", "assets", ["sqlite_autoindex_assets_1", "uq_assets_id"]),
    Hot("diagnosis.explain.find_job._CALL", "calls", ["sqlite_autoindex_calls_1", "uq_calls_id"]),
    Hot("diagnosis.look_jobs._WAITS", "jobs", ["ix_jobs_claim"]),
    Hot("diagnosis.look_jobs._ENDED", "jobs", ["ix_jobs_finished"]),
    Hot("diagnosis.look_jobs._RATES", "jobs", ["ix_jobs_finished"]),
    Hot("services.uploads._BY_ID", "uploads", ["sqlite_autoindex_uploads_1", "uq_uploads_id"], many=True),
    Hot("services.uploads._SAME", "uploads", ["ix_uploads_user"]),
    Hot("services.uploads._SAME_AND_LOCK", "uploads", ["ix_uploads_user"]),
    Hot("services.uploads._UNUSED_BYTES", "uploads", ["ix_uploads_unused"]),
    Hot("services.uploads._EXPIRED", "uploads", ["ix_uploads_expiry"]),
    Hot("services.uploads._LET_GO", "uploads", ["INTEGER PRIMARY KEY", "pk_uploads"]),
    Hot("services.uploads._KEYS", "uploads", ["ix_uploads_key"]),
    Hot("services.read_ledger._PAGE", "ledger", ["ix_ledger_account"]),
)
LOOKS = (
    "stuck",
    "stuck by all",
    "services.sweep._HITS",
    "services.sweep._ORPHANS",
    "services.batches._HITS",
    "services.pause._SHIFT",
    "services.pause._ALL",
    "diagnosis.look_jobs._WAITING",
    "diagnosis.look_jobs._LATE",
    "diagnosis.look_jobs._SLOW",
    "diagnosis.look_jobs._PRICES",
)
"""What looks at many waiting or running jobs at once."""
OF_ALL_JOBS = frozenset({"ix_jobs_user", "ix_jobs_user_status"})
OF_LIVE_JOBS = frozenset(
    index.name for index in tables.jobs.indexes if index.dialect_options["sqlite"]["where"] is not None
).difference(OF_ALL_JOBS)

Plans = Callable[[Statement, bool], list[list[Step]]]


def populate(url: str) -> None:
    """Ended jobs with all they left behind, and some in every other state."""
    seed_jobs(url, "ended", ENDED_JOBS, ENDED)
    seed_records(url, ENDED_JOBS)
    for name, values in LIVE.items():
        seed_jobs(url, name, LIVE_JOBS, {**WAITING, **values})


@pytest.fixture(scope="module")
def by_name() -> dict[str, Statement]:
    pages: dict[str, Statement] = {
        "page": job_pages._page((), of_batch=False),
        "page of a status": job_pages._page(("status",), of_batch=False),
        "page of labels": job_pages._page((), of_batch=False, labels_n=2),
        "page of labels and a status": job_pages._page(("status",), of_batch=False, labels_n=1),
        "page of a batch": job_pages._page((), of_batch=True),
        "items": job_pages._items(with_status=False),
    }
    by_all = job_filter._GIVEN
    pages |= {
        "stuck": job_filter._select(Walk.LIVE, (), 0),
        "stuck by all": job_filter._select(Walk.LIVE, by_all, 2),
        "own": job_filter._select(Walk.OWN, ("user",), 0),
        "own by all": job_filter._select(Walk.OWN, by_all, 0),
        "own of labels": job_filter._select(Walk.LABELLED, by_all, 2),
        "ended": job_filter._select(Walk.ENDED, ("submitted_after",), 0),
        "ended by all": job_filter._select(Walk.ENDED, tuple(name for name in by_all if name != "user"), 2),
        "still meant": job_filter._still(by_all),
    }
    return {**dict(statements()), **pages}


@pytest.fixture(scope="module")
def sqlite_plans(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plans]:
    path = tmp_path_factory.mktemp("plans") / "safelight.db"
    shutil.copyfile(sqlite_template, path)
    populate(f"sqlite:///{path}")
    known = path.with_name("analyzed.db")
    execute(f"sqlite:///{path}", "PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(path, known)
    execute(f"sqlite:///{known}", "ANALYZE")
    connections: list[Any] = [open_database(f"sqlite:///{file}").connect() for file in (path, known)]  # type: ignore[attr-defined]
    yield lambda statement, _: [on_sqlite(connection, statement) for connection in connections]
    for connection in connections:
        connection.close()


@pytest.fixture(scope="module")
def postgres_plans(postgres_server_url: str, postgres_template: str) -> Iterator[Plans]:
    with fresh_database(postgres_server_url, template=postgres_template) as url:
        populate(url)
        connection: Any = open_database(url).connect()  # type: ignore[attr-defined]
        yield lambda statement, many: list(on_postgres(connection, statement, many=many))
        connection.close()


@pytest.fixture(params=["sqlite", "postgres"])
def plans(request: pytest.FixtureRequest) -> Plans:
    asked: Plans = request.getfixturevalue(f"{request.param}_plans")
    return asked


@pytest.mark.parametrize("hot", HOT, ids=lambda hot: f"{hot.statement} {hot.table}")
def test_a_hot_statement_uses_its_index_and_no_more_of_it_than_it_needs(
    hot: Hot, plans: Plans, by_name: dict[str, Statement]
) -> None:
    for plan in plans(by_name[hot.statement], hot.many):
        used = [step for step in plan if step.table == hot.table]
        assert used
        assert [step for step in used if step.index not in hot.indexes or not step.bounded] == [], plan


@pytest.mark.parametrize("name", LOOKS)
def test_a_look_at_all_that_is_alive_sees_nothing_else(name: str, plans: Plans, by_name: dict[str, Statement]) -> None:
    for plan in plans(by_name[name], False):
        assert {step.index for step in plan if step.table == "jobs"} <= OF_LIVE_JOBS, plan


def test_no_statement_reads_a_whole_table_that_grows_or_sorts_many_rows(
    plans: Plans, by_name: dict[str, Statement]
) -> None:
    found = {
        name: [
            step
            for step in plan
            if (step.table in GROWS and not step.index and not step.bounded) or (step.sorts and step.rows > FEW)
        ]
        for name, statement in by_name.items()
        for plan in plans(statement, False)
    }
    assert {name: steps for name, steps in found.items() if steps} == {}
