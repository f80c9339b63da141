"""A worker moved by hand: the test decides when a job is claimed, how far it gets, and how it ends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from safelight.domain.ids import new_id
from safelight.domain.jobs import Status
from safelight.services import presence
from safelight.services.assets import NewAsset
from safelight.services.claim import claim
from safelight.services.claimable import ClaimedJob
from safelight.services.finish import Ending, finish
from safelight.services.hand_back import Return, hand_back
from safelight.services.progress import Standing, Step, progress
from safelight.store.database import Database

Run = Callable[[Coroutine[Any, Any, Any]], Any]


class HandWorker:
    """One registered worker. `run` carries work to the event loop of its database."""

    def __init__(self, database: Database, run: Run, queue: str = "image") -> None:
        self._database, self._run, self._queue = database, run, queue
        self.id = new_id()
        who = presence.Registration(
            self.id, "worker", "elsewhere", "boot", 1, "0", None, "database", None, f'["{queue}"]', "[]", 9, "0"
        )
        run(database.write(presence.register, who))

    def claim(self) -> ClaimedJob:
        """The next job in line."""
        (job,) = self._run(self._database.write(claim, self.id, [self._queue], 1))
        claimed: ClaimedJob = job
        return claimed

    def report(
        self, job: ClaimedJob, reached: float, preview: str | None = None, *, text: str | None = None
    ) -> Standing:
        step = Step(job.number, job.fence, "running", reached, preview and "image/webp", preview, text)
        standing: Standing = self._run(self._database.write(progress, step))
        return standing

    def complete(self, job: ClaimedJob) -> bool:
        call = new_id()
        digest = hashlib.sha256(call.encode()).hexdigest()
        asset = NewAsset(
            new_id(),
            call,
            0,
            f"assets/{job.id}/{call}-0-{digest[:8]}.png",
            None,
            "image/png",
            9,
            3,
            3,
            None,
            digest,
            False,
        )
        return self._end(Ending(job.number, job.fence, Status.COMPLETED, [asset]))

    def complete_with_text(self, job: ClaimedJob, text: str) -> bool:
        return self._end(Ending(job.number, job.fence, Status.COMPLETED, text=text))

    def fail(self, job: ClaimedJob) -> bool:
        error = '{"code":"content_rejected","message":"No.","remedy":"Ask for something else.","retryable":false}'
        return self._end(Ending(job.number, job.fence, Status.FAILED, error=error))

    def hand_back(self, job: ClaimedJob, reason: str = "The worker is being stopped.") -> bool:
        back: bool = self._run(self._database.write(hand_back, Return(job.number, job.fence, reason, 0.0, False)))
        return back

    def _end(self, ending: Ending) -> bool:
        ended: bool = self._run(self._database.write(finish, ending))
        return ended
