"""Carries recoveries out whose time has come. Any number of processes may; each is worked at by one at a time."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from safelight.domain.clock import local_s
from safelight.domain.errors import CallerError, SafelightError
from safelight.services import recovery_effect
from safelight.services.again import Again
from safelight.services.prepare import Caller
from safelight.services.recoveries import Recovery
from safelight.services.recovery_effect import Outcome, ToMake
from safelight.store.database import Database
from safelight.telemetry.spell import Spell

log = structlog.get_logger(__name__)

AT_A_TIME_S = 2.0


class Recoverer:
    """Without `again` it leaves ended jobs, which are to be made again, to a process that has a desk."""

    def __init__(self, database: Database, again: Again | None = None) -> None:
        self._database, self._again = database, again
        self._hindered = Spell(log, "recovery_hindered")

    async def carry_out(self, plans: Sequence[int]) -> int:
        """How many jobs were dealt with; after some seconds the rest is left to the next look, so that others sweep on.

        A job that cannot be made again for want of something here waits for the next look as well.
        """
        until, dealt = local_s() + AT_A_TIME_S, 0
        for plan in plans:
            dealt += await self._through(plan, until)
        return dealt

    async def _through(self, plan: int, until: float) -> int:
        """Slice by slice; others may write between the slices."""
        dealt = 0
        while local_s() < until:
            slice_ = await self._database.write(recovery_effect.carry_out, plan)
            dealt += slice_.dealt
            _tell(slice_.done)
            if slice_.to_make:
                made = 0 if self._again is None else await self._make(self._again, plan, slice_.to_make, until)
                dealt += made
                if made < len(slice_.to_make):
                    break
            if not slice_.goes_on:
                break
        return dealt

    async def _make(self, again: Again, plan: int, jobs: Sequence[ToMake], until: float) -> int:
        made = 0
        for each in jobs:
            outcome = await self._made_again(again, each) if local_s() < until else None
            if outcome is None:
                break
            _tell(await self._database.write(recovery_effect.made, plan, {each.job: outcome}))
            made += 1
        return made

    async def _made_again(self, again: Again, job: ToMake) -> Outcome | None:
        """For its user, by the operator: it may go first as it may have done then, and uses up no rate.

        None where nothing can be made now: no new jobs are taken, or the disk is full.
        """
        caller = Caller(job.user_id, idempotency_key=job.key, goes_first=True, is_local=True)
        try:
            accepted = await again.make_again(job.id, caller, job.message)
        except CallerError as error:
            return Outcome("refused", error.what)
        except (OSError, SafelightError) as error:
            self._hindered.met(error)
            return None
        except Exception as error:  # one job that cannot be read must not end every process that sweeps
            log.exception("job_not_made_again", job_id=job.id, source=job.key)
            return Outcome("refused", f"{type(error).__name__}: {error}")
        self._hindered.over()
        return Outcome("made", accepted.details.job.id)


def _tell(done: Recovery | None) -> None:
    if done is not None:
        log.info(
            "recovery_done", recovery=done.id, action=done.action, requested_by=done.requested_by, counts=done.counts
        )
