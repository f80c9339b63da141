"""Follow one job: every stored event after the cursor exactly once, in order, and the newest progress between.

Of a text that is being written a reader is told what is new, and at which character that begins: mostly where the last
piece ended, but 0 once the model has begun anew.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

from safelight.domain.jobs import LAST_EVENTS, EventType
from safelight.events.feeds import Feeds
from safelight.events.log import News
from safelight.telemetry import metrics

QUIET_S = 60.0
"""How often a reader hears that there is nothing new, unless it says otherwise: thousands may wait."""
BEHIND = 100
"""Whoever has missed more stored events than this starts anew from a snapshot."""
SNAPSHOT: Final = "snapshot"


class Envelope(NamedTuple):
    """One piece of news. `at` in epoch seconds. A snapshot carries its sequence only: its payload is the job's body."""

    type: str
    job_id: str
    sequence: int
    at: float
    payload: dict[str, Any]

    @property
    def is_last(self) -> bool:
        return self.type in LAST_EVENTS


async def follow(
    feeds: Feeds, job_id: str, cursor: int, read: str = "", quiet_s: float | None = None
) -> AsyncIterator[Envelope | None]:
    """Yield news after `cursor` until the job has ended; None now and then, so that a reader can stop.

    A snapshot is the last thing that a reader is told who has missed too much: it reads the job and follows anew.

    A reader that is slow simply finds more events when it comes back: nothing is buffered for it. `read` is the text
    that it has already; without it, all of the text comes once, from the first character.
    """
    caught_up = False  # how late a reader is who has just come says nothing of us
    with (
        feeds.hub.waiting(f"job:{job_id}", by_name_only=True) as waiter,
        feeds.watching(job_id) as feed,
        metrics.SUBSCRIBERS.track_inprogress(),
    ):
        while True:
            waiter.clear()
            found = await feed.news(cursor)
            if found is None:
                return
            if len(found.events) > BEHIND:
                yield Envelope(SNAPSHOT, job_id, found.brief.sequence, found.now, {})
                return
            for event in found.events if caught_up else ():
                metrics.EVENT_LAG.observe(max(0.0, found.now - event.at))
            caught_up = True
            told = envelopes(job_id, found, cursor, read)
            for envelope in told:
                yield envelope
                if envelope.is_last:
                    return
            if found.ended:
                return  # the reader had seen its end already
            cursor, read = max(cursor, found.brief.sequence), read_after(told, found, read)
            while not await waiter.wait(QUIET_S if quiet_s is None else quiet_s):
                yield None
            yield None


def envelopes(job_id: str, found: News, cursor: int, read: str = "") -> list[Envelope]:
    """What a reader at `cursor` has not seen. Stored events first: progress is newer than all of them or old."""
    told = [Envelope(e.type, job_id, e.sequence, e.at, e.details) for e in found.events]
    newest_stored = max((e.sequence for e in found.events), default=cursor)
    brief = found.brief
    if found.ended:
        return _with_rest(told, job_id, found, read)
    if brief.sequence <= newest_stored:
        return told
    if found.preview is not None and found.preview > max(cursor, newest_stored) and found.preview < brief.sequence:
        told.append(_preview(job_id, found, found.preview))
    told.append(_progress(job_id, found))
    told += _written(job_id, found, brief.sequence, read)
    if found.preview == brief.sequence:
        told.append(_preview(job_id, found, brief.sequence))
    return told


def read_after(told: list[Envelope], found: News, read: str) -> str:
    """The text that a reader has now. Not simply all there is: whoever came back with a cursor was told none of it."""
    return found.brief.text or read if any(each.type == EventType.OUTPUT for each in told) else read


def _with_rest(told: list[Envelope], job_id: str, found: News, read: str) -> list[Envelope]:
    """The rest of the text comes before the news that the job has ended."""
    if not told or not told[-1].is_last:
        return told
    return [*told[:-1], *_written(job_id, found, told[-1].sequence - 1, read), told[-1]]


def _written(job_id: str, found: News, sequence: int, read: str) -> list[Envelope]:
    text = found.brief.text
    if text is None or text == read:
        return []
    offset = len(read) if text.startswith(read) else 0
    return [Envelope(EventType.OUTPUT, job_id, sequence, found.now, {"offset": offset, "text": text[offset:]})]


def _progress(job_id: str, found: News) -> Envelope:
    brief = found.brief
    payload = {"status": brief.status, "stage": brief.stage, "progress": brief.progress}
    return Envelope(EventType.PROGRESS, job_id, brief.sequence, found.now, payload)


def _preview(job_id: str, found: News, sequence: int) -> Envelope:
    return Envelope(EventType.PREVIEW, job_id, sequence, found.now, {"progress": found.brief.progress})
