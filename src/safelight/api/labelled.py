"""Pages of the jobs that a door knows by their labels, newest first; all that is unfinished is on the first."""

from __future__ import annotations

from typing import NamedTuple

from safelight.app import Safelight
from safelight.domain.jobs import LIVE
from safelight.services.job_pages import FIRST_PAGE, PageRequest
from safelight.services.read_jobs import JobDetails

MOST_UNFINISHED = 200
Labels = tuple[tuple[str, str], ...]


class Labelled(NamedTuple):
    """Some jobs, and the number to continue before, if there are more."""

    jobs: list[JobDetails]
    more: int | None


async def page_of(safelight: Safelight, user_id: str, labels: Labels, limit: int, before: int) -> Labelled:
    """One page. The first also has every unfinished job, however old."""
    found, more = await safelight.desk.jobs(PageRequest(user_id, limit, before=before, labels=labels))
    if before != FIRST_PAGE or more is None:
        return Labelled(found, more)
    shown = {details.job.id for details in found}
    for status in sorted(LIVE):
        asked = PageRequest(user_id, MOST_UNFINISHED, status=status, labels=labels)
        unfinished, _ = await safelight.desk.jobs(asked)
        found += [details for details in unfinished if details.job.id not in shown]
    return Labelled(found, more)


async def newest(safelight: Safelight, user_id: str, labels: Labels) -> JobDetails | None:
    """The newest job with these labels, with its place in the queue."""
    found, _ = await safelight.desk.jobs(PageRequest(user_id, 1, labels=labels))
    return await safelight.desk.job(found[0].job.id, user_id) if found else None
