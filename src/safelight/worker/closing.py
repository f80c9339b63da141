"""How an attempt ends: it finishes the job or gives it back, and says what it learnt of the call. Written patiently."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar, assert_never

import structlog

from safelight.domain.jobs import Status
from safelight.services import calls
from safelight.services.assets import NewAsset
from safelight.services.calls import CallOutcome
from safelight.services.claimable import ClaimedJob
from safelight.services.finish import Ending, finish
from safelight.services.hand_back import Return, hand_back
from safelight.services.job_error import error_json
from safelight.worker.bench import Bench
from safelight.worker.decide import Fail, TryLater
from safelight.worker.patience import patiently

T = TypeVar("T")
log = structlog.get_logger(__name__)


class Closing:
    """The end of one attempt. `learnt` is what to record of its call, also if Safelight itself fails from here on."""

    def __init__(self, bench: Bench, job: ClaimedJob) -> None:
        self._bench, self._job = bench, job
        self.learnt: CallOutcome | None = None

    async def follow(self, decision: Fail | TryLater) -> None:
        match decision:
            case Fail(error):
                await self.end(Status.FAILED, error=error)
            case TryLater():
                await self.hand_back(decision)
            case _:
                assert_never(decision)

    async def complete(self, assets: Sequence[NewAsset], call: CallOutcome | None) -> None:
        """Deliver files that are in storage."""
        ended = await self._write(Ending(self._job.number, self._job.fence, Status.COMPLETED, assets, None, call))
        log.info("job.completed" if ended else "job.taken_away", assets=len(assets))

    async def complete_with_text(self, text: str, charge: int | None, *, cut_short: bool) -> None:
        """Deliver a text. `charge`: what it costs by use, if it is priced so."""
        job, done = self._job, Status.COMPLETED
        ending = Ending(job.number, job.fence, done, call=self.learnt, text=text, charge=charge, cut_short=cut_short)
        ended = await self._write(ending)
        log.info("job.completed" if ended else "job.taken_away", chars=len(text))

    async def end(self, status: Status, *, error: str | None = None) -> None:
        """End it with nothing delivered."""
        ended = await self._write(Ending(self._job.number, self._job.fence, status, (), error, self.learnt))
        log.info(f"job.{status}" if ended else "job.taken_away", error=error)

    async def hand_back(self, later: TryLater) -> None:
        """Let others, or this worker, go on with it later."""
        given = Return(
            self._job.number,
            self._job.fence,
            later.reason,
            later.due_in_s,
            later.uses_attempt,
            call=self.learnt,
            retrying=later.uses_attempt,
            error_code=later.code,
            waits_for=later.waits_for,
        )
        held = await self._surely(lambda: self._bench.database.write(hand_back, given))
        log.info("job.handed_back" if held else "job.taken_away", code=later.code, due_in_s=round(later.due_in_s, 1))

    async def record(self) -> None:
        """The job is somebody else's; what was learnt of the call is written all the same."""
        learnt = self.learnt
        if learnt is not None:
            await self._surely(lambda: self._bench.database.write(calls.end_call, learnt))

    async def give_up_on(self, error: Exception) -> None:
        """Last resort after a bug: end the job. Raises what kept even that from being written: the process must end.

        What was learnt of the call may be the very thing that cannot be written: then only its state is.
        """
        failure = error_json("internal", f"Safelight itself failed while running it ({type(error).__name__}).")
        try:
            await self.end(Status.FAILED, error=failure)
        except Exception:  # the edge of the loop
            log.exception("ending_not_written")
            self.learnt = self.learnt and CallOutcome(self.learnt.call_id, self.learnt.state)
            await self.end(Status.FAILED, error=failure)

    async def _write(self, ending: Ending) -> bool:
        return await self._surely(lambda: self._bench.database.write(finish, ending))

    async def _surely(self, work: Callable[[], Awaitable[T]]) -> T:
        return await patiently(work, self._bench.pace.write_again_s)
