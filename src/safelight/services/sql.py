"""Small words for writing statements: named arguments, the condition that a lease holds, JSON as text."""

from __future__ import annotations

import json
from typing import Any, Final

import sqlalchemy as sa

from safelight.store.tables import TIME, jobs

TEXT: Final = sa.Text()
INTEGER: Final = sa.BigInteger()
REAL: Final = sa.Float(53)
FLAG: Final = sa.Boolean()


def arg(name: str, kind: Any = TEXT) -> sa.BindParameter[Any]:
    """A value given at run time. Names must differ from the table's columns (SQLAlchemy reserves those)."""
    return sa.bindparam(name, type_=kind)


NOW: Final = arg("at_now", TIME)

LEASE_HOLDS: Final = sa.and_(
    jobs.c.number == arg("job", INTEGER), jobs.c.fence == arg("held_fence", INTEGER), jobs.c.status == "processing"
)
"""The guard of every move a worker makes: the job is still the one it claimed."""

ENDED: Final = {
    jobs.c.settled: sa.true(),
    jobs.c.ready: sa.false(),
    jobs.c.resumes: sa.false(),
    jobs.c.waiting_for: sa.null(),
    jobs.c.due_at: sa.null(),
    jobs.c.worker_id: sa.null(),
    jobs.c.finished_at: NOW,
    jobs.c.fence: jobs.c.fence + 1,
    jobs.c.sequence: jobs.c.sequence + 1,
}
"""What every ending writes beside its status."""


def as_json(value: Any) -> str:
    """JSON as it is stored: compact, readable letters, no NaN."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
