"""Progress on its way from a provider to the job's row: often enough to be lively, seldom enough to be cheap."""

from __future__ import annotations

import base64
from collections.abc import Callable

import structlog

from safelight.domain.clock import local_s
from safelight.domain.errors import SafelightError
from safelight.domain.jobs import Stage
from safelight.domain.text import storable
from safelight.providers.protocol import Preview
from safelight.services.claimable import ClaimedJob
from safelight.services.progress import Standing, Step, progress
from safelight.store.database import Database

log = structlog.get_logger(__name__)

BURST = 8
PER_SECOND = 1.0
"""A short job shows every step; a long one settles at one write a second, as does one that writes text."""


class Reporter:
    """One call's `report`. Says False as soon as the call is to stop.

    A paid call is not stopped because its job was taken away (`stops_when_lost`): its answer is still worth recording.
    """

    def __init__(
        self, database: Database, job: ClaimedJob, *, stops_when_lost: bool, may_send: Callable[[], bool]
    ) -> None:
        self._database, self._job, self._stops_when_lost = database, job, stops_when_lost
        self.may_send = may_send
        self._allowance = float(BURST)
        self._refilled_at = local_s()
        self._text_at: float | None = None
        self._unwritten: str | None = None
        self._reached = 0.0
        self.stopped = False
        self.told_to_stop = False
        """Whether the provider was answered that it is to stop."""
        self.has_heard = False
        """Whether the provider has reported anything: then it is at work, whatever it says in the end."""

    async def __call__(
        self,
        progress: float,
        *,
        preview: Preview | None = None,
        text: str | None = None,
        stage: Stage = Stage.RUNNING,
    ) -> bool:
        self.has_heard = True
        self._reached = max(self._reached, min(1.0, progress))
        self._unwritten = text if text is not None else self._unwritten
        if not self.stopped and self._may_write(is_text=text is not None):
            await self.write(stage, preview, text)
        self.told_to_stop = self.stopped
        return not self.stopped

    async def write(self, stage: Stage, preview: Preview | None = None, text: str | None = None) -> None:
        """Put stage and progress on the row; learn there whether to go on. A database that is away stops nothing."""
        so_far = None if text is None else storable(text)
        step = Step(self._job.number, self._job.fence, str(stage), self._reached, text=so_far)
        if preview is not None:
            step = step._replace(preview_mime=preview.mime, preview=base64.b64encode(preview.data).decode())
        try:
            standing = await self._database.write(progress, step)
        except (OSError, SafelightError) as error:
            log.debug("progress_not_written", error=str(error))
            return
        self._unwritten = None
        self.stopped = self.stopped or self.is_to_stop(standing)

    async def write_rest(self) -> None:
        """Of a text that broke off, show all there is: nobody pays for it, and it may still be of use."""
        if self._unwritten is not None:
            await self.write(Stage.RUNNING, text=self._unwritten)

    def is_to_stop(self, standing: Standing) -> bool:
        return standing.cancel_requested or (self._stops_when_lost and not standing.held)

    def _may_write(self, *, is_text: bool) -> bool:
        now = local_s()
        if is_text and self._text_at is not None and now - self._text_at < 1 / PER_SECOND:
            return False
        self._allowance = min(BURST, self._allowance + (now - self._refilled_at) * PER_SECOND)
        self._refilled_at = now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        self._text_at = now if is_text else self._text_at
        return True
