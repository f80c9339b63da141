"""A text while it is written, for clients that can only be told more of it: nothing is ever taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Final

from safelight.app import Safelight
from safelight.domain.clock import local_s
from safelight.domain.jobs import LIVE, EventType
from safelight.events.follow import SNAPSHOT, follow
from safelight.services.read_jobs import JobDetails

COMMENT_EVERY_S: Final = 15.0


class Restarted(Exception):
    """A try failed after it had written something, and the next began anew."""

    def __init__(self, told: int) -> None:
        super().__init__(f"The model began anew after {told} characters, which cannot be taken back.")


async def text_of(safelight: Safelight, details: JobDetails, user_id: str) -> AsyncIterator[str | None]:
    """Each new piece, until the job has ended; None while there is none for a while. Raises Restarted."""
    job_id, told, spoken_at = details.job.id, "", local_s()
    while True:
        text = details.job.text or ""
        if not text.startswith(told):
            raise Restarted(len(told))
        if text != told:
            yield text[len(told) :]
            told, spoken_at = text, local_s()
        if details.job.status not in LIVE or safelight.stopping:
            return
        news = follow(safelight.feeds, job_id, details.job.sequence, told, COMMENT_EVERY_S)
        async with aclosing(news) as envelopes:  # type: ignore[type-var]
            async for envelope in envelopes:
                if safelight.stopping or (envelope and (envelope.is_last or envelope.type == SNAPSHOT)):
                    break
                if envelope and envelope.type == EventType.OUTPUT:
                    if envelope.payload["offset"] != len(told):
                        raise Restarted(len(told))
                    told, spoken_at = told + envelope.payload["text"], local_s()
                    yield envelope.payload["text"]
                elif local_s() - spoken_at >= COMMENT_EVERY_S:
                    spoken_at = local_s()
                    yield None
        details = await safelight.desk.job(job_id, user_id)
