"""A million jobs in seconds: one INSERT … SELECT, the same text on both databases.

They have no books: only claims and looks are measured among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from safelight.store.connect import open_database

_EVERY = {
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


def seed_jobs(url: str, name: str, count: int, values: Mapping[str, str]) -> None:
    """Insert `count` jobs. `values` are SQL expressions over `n`, which counts from 1; ids are `name-n`."""
    columns = {**_EVERY, **values}
    selected = ", ".join(columns.values()).format(name=name)
    insert = (
        f"WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})"  # noqa: S608 - ours
        f" INSERT INTO jobs ({', '.join(columns)}) SELECT {selected} FROM numbers"
    )
    if url.startswith("sqlite:"):
        execute(url, "PRAGMA synchronous=OFF", insert)
    else:
        execute(url, "SET statement_timeout = 0", "SET synchronous_commit = off", insert, "VACUUM ANALYZE jobs")


def execute(url: str, *statements: str) -> None:
    """Run statements outside of Safelight's own transactions."""
    database = open_database(url)
    connection = database.connect()  # type: ignore[attr-defined]  # both have it
    for statement in statements:
        connection.execute(statement)
    connection.close()
    database.close()
