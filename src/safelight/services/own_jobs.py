"""Many jobs of one user at once: canceled or made again by a filter, as one by one, at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from safelight.domain.errors import CallerError
from safelight.domain.jobs import Status
from safelight.services import batches, cancel, recoveries
from safelight.services.again import Again, DueNow
from safelight.services.job_filter import Found
from safelight.services.prepare import Caller
from safelight.services.recoveries import Survey, Wanted
from safelight.store.tx import Tx

AT_ONCE = 200


class Made(NamedTuple):
    """A job that was made again."""

    source: str
    id: str


@dataclass(slots=True)
class Done:
    """What became of the jobs: how many by outcome, and which were made. `why` is the first refusal."""

    outcomes: Counter[str] = field(default_factory=Counter)
    made: list[Made] = field(default_factory=list)
    why: str | None = None


@dataclass(frozen=True, slots=True)
class OwnJobs:
    """At one desk. Each call deals with at most `AT_ONCE` jobs; what it finds says whether there are more."""

    again: Again

    async def find(self, wanted: Wanted) -> Survey:
        """What would be touched now, the newest first."""
        found = await self.again.desk.database.read(recoveries.survey, wanted, whole=True)
        more = found.more or len(found.jobs) > AT_ONCE
        return replace(found, jobs=found.jobs[:AT_ONCE], more=more)

    async def cancel(self, jobs: Sequence[Found]) -> Done:
        """Those that wait end at once, those that run are stopped by their workers; of batches, all items."""
        write = self.again.desk.database.write
        moved = await write(_cancel, [job.number for job in jobs])
        parents = tuple(job.number for job in jobs if job.kind == "batch" and job.number in moved)
        if parents:
            while await write(batches.cancel_items, parents):
                pass
        done = Done()
        done.outcomes.update(moved.get(job.number, "changed") for job in jobs)
        return done

    async def retry(self, jobs: Sequence[Found], caller: Caller) -> Done:
        """One by one, as if each had been asked for; until one is refused. A key stands for each with its job's id."""
        done = Done()
        for job in jobs:
            key = f"{caller.idempotency_key} {job.id}" if caller.idempotency_key else None
            try:
                made = await self.again.retry(job.id, replace(caller, idempotency_key=key))
            except CallerError as error:
                done.outcomes["refused"] += 1
                done.why = error.what
                break
            if isinstance(made, DueNow):
                done.outcomes["due"] += 1
            else:
                done.outcomes["made"] += 1
                done.made.append(Made(job.id, made.details.job.id))
        return done


def _cancel(tx: Tx, numbers: Sequence[int]) -> dict[int, str]:
    """What became of each that could be canceled."""
    rows = cancel.cancel_these(tx, numbers)
    return {row.number: "canceled" if row.status == Status.CANCELED else "stopping" for row in rows}
