"""A million jobs in seconds: one INSERT … SELECT per table, the same text on both databases.

They have no books: only claims, looks and query plans are measured among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from safelight.store.connect import open_database

_JOB = {
    "id": "'{name}-' || n",
    "user_id": "'user-' || (n % 1000)",
    "account": "1",
    "kind": "'image'",
    "model": "'fake'",
    "queue": "'image'",
    "prompt": "'a lighthouse in the fog, long exposure'",
    "params": """'{{"width":512,"height":512,"n":1,"seed":42}}'""",
    "sequence": "3",
    "vstart": "n",
    "created_at": "1700000000 + n",
    "start_at": "1700000000 + n",
    "deadline_at": "4000000000 + n",
    "run_limit_s": "600",
    "price": "4",
}
ENDED: Mapping[str, str] = MappingProxyType(
    {
        "status": "CASE WHEN n % 20 = 0 THEN 'failed' ELSE 'completed' END",
        "stage": "'delivered'",
        "ready": "FALSE",
        "settled": "TRUE",
        "attempt": "1",
        "fence": "2",
        "started_at": "1700000001 + n",
        "claimed_at": "1700000001 + n",
        "finished_at": "1700000002 + n",
    }
)
WAITING: Mapping[str, str] = MappingProxyType({"status": "'pending'", "stage": "'queued'", "ready": "TRUE"})
"""Values of columns as SQL over `n`, the number of the job."""
RECORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "calls": {
            "id": "'call-' || n",
            "job": "n",
            "attempt": "1",
            "provider": "'fake'",
            "model": "'m-1'",
            "repeatable": "FALSE",
            "state": "'succeeded'",
            "remote_id": "'remote-' || n",
            "worker_id": "'gone'",
            "sending_at": "1700000001 + n",
        },
        "assets": {
            "id": "'asset-' || n",
            "job": "n",
            "call": "'call-' || n",
            "n": "0",
            "key": "'assets/' || n || '.png'",
            "mime": "'image/png'",
            "bytes": "4096",
            "sha256": "'5555'",
            "ai_generated": "TRUE",
            "created_at": "1700000002 + n",
        },
        "uploads": {
            "id": "'upload-' || n",
            "user_id": "'user-' || (n % 1000)",
            "key": "'uploads/' || n || '.png'",
            "mime": "'image/png'",
            "bytes": "4096",
            "width": "64",
            "height": "64",
            "sha256": "'hash-' || n",
            "created_at": "1700000000 + n",
            "expires_at": "CASE WHEN n % 1000 = 0 THEN 1700086400 + n END",
            "stored_at": "1700000000 + n",
        },
        "labels": {"user_id": "'user-' || (n % 1000)", "key": "'shelf'", "value": "'shelf-' || (n % 7)", "job": "n"},
        "job_inputs": {"job": "n", "upload": "n + CASE WHEN n % 1000 = 0 THEN 1 ELSE 0 END"},
        "ledger": {
            "account": "1 + n % 1000",
            "job": "n",
            "kind": "'capture'",
            "balance_delta": "-4",
            "held_delta": "-4",
            "balance_after": "0",
            "reference": "CASE WHEN n % 10 = 0 THEN 'reference-' || n END",
            "at": "1700000002 + n",
        },
        "events": {
            "job": "n",
            "sequence": "1",
            "type": "'job.submitted'",
            "payload": "'{{}}'",
            "at": "1700000000 + n",
        },
    }
)
"""What a job leaves behind in other tables."""


def seed_jobs(url: str, name: str, count: int, values: Mapping[str, str]) -> None:
    """Insert `count` jobs. `values` are SQL expressions over `n`, which counts from 1; ids are `name-n`."""
    _seed(url, "jobs", count, {**_JOB, **values}, name)


def seed_records(url: str, count: int) -> None:
    """What the first `count` jobs would have left behind."""
    for table, values in RECORDS.items():
        _seed(url, table, count, values, "")


def _seed(url: str, table: str, count: int, values: Mapping[str, str], name: str) -> None:
    selected = ", ".join(values.values()).format(name=name)
    insert = (
        f"WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})"  # noqa: S608 - ours
        f" INSERT INTO {table} ({', '.join(values)}) SELECT {selected} FROM numbers"
    )
    if url.startswith("sqlite:"):
        execute(url, "PRAGMA synchronous=OFF", insert)
    else:
        execute(url, "SET statement_timeout = 0", "SET synchronous_commit = off", insert, f"ANALYZE {table}")


def execute(url: str, *statements: str) -> None:
    """Run statements outside of Safelight's own transactions."""
    database = open_database(url)
    connection = database.connect()  # type: ignore[attr-defined]  # both have it
    for statement in statements:
        connection.execute(statement)
    connection.close()
    database.close()
