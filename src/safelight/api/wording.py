"""Envelopes as JSON, the same on every transport. Each is written once, however many watch at this process."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from typing import Any, NamedTuple

from safelight.api.context import Visitor
from safelight.app import Safelight
from safelight.domain.clock import as_rfc3339
from safelight.domain.jobs import EventType
from safelight.events.follow import SNAPSHOT, Envelope
from safelight.services.read_jobs import JobDetails

KEPT_CHARS = 8 * 2**20


class Worded(NamedTuple):
    """One piece of news, ready to be sent."""

    type: str
    sequence: int
    json: str
    is_last: bool


class Wording:
    """Written envelopes, the newest ones kept. For the event loop only."""

    def __init__(self, safelight: Safelight) -> None:
        self._safelight = safelight
        self._kept: OrderedDict[tuple[object, ...], str] = OrderedDict()
        self._kept_chars = 0
        self._last_words: dict[tuple[object, ...], asyncio.Task[str]] = {}

    def snapshot(self, details: JobDetails, caller: Visitor) -> Worded:
        """The job as it was read."""
        body = self._safelight.desk.body(details, caller.base)
        envelope = Envelope(SNAPSHOT, details.job.id, details.job.sequence, details.read_at, body)
        return Worded(SNAPSHOT, details.job.sequence, _written(envelope), False)

    async def of(self, envelope: Envelope, caller: Visitor) -> Worded:
        """News of a job of the caller's. Raises NotFound once it is removed."""
        text = envelope.payload.get("text")
        part = (envelope.payload.get("offset"), len(text)) if isinstance(text, str) else None
        key = (envelope.job_id, envelope.sequence, envelope.type, caller.base, caller.user_id, part)
        written = self._kept.get(key)
        if written is None:
            written = (
                await self._last_word(key, envelope, caller) if envelope.is_last else self._write(envelope, caller)
            )
            self._keep(key, written)
        return Worded(envelope.type, envelope.sequence, written, envelope.is_last)

    async def _last_word(self, key: tuple[object, ...], envelope: Envelope, caller: Visitor) -> str:
        """Terminal events carry the job's body, which is read once for all who wait for it."""
        task = self._last_words.get(key)
        if task is None:
            task = self._last_words[key] = asyncio.create_task(self._with_body(envelope, caller))
            task.add_done_callback(lambda _: self._last_words.pop(key, None))
        return await asyncio.shield(task)

    async def _with_body(self, envelope: Envelope, caller: Visitor) -> str:
        details = await self._safelight.desk.job(envelope.job_id, caller.user_id)
        return _written(envelope._replace(payload=self._safelight.desk.body(details, caller.base)))

    def _write(self, envelope: Envelope, caller: Visitor) -> str:
        if envelope.type == EventType.PREVIEW:
            url = self._safelight.links_for(caller.base).preview(envelope.job_id, envelope.sequence)
            envelope = envelope._replace(payload={**envelope.payload, "preview_url": url})
        return _written(envelope)

    def _keep(self, key: tuple[object, ...], written: str) -> None:
        if key in self._kept:
            return
        self._kept[key] = written
        self._kept_chars += len(written)
        while self._kept_chars > KEPT_CHARS:
            _, oldest = self._kept.popitem(last=False)
            self._kept_chars -= len(oldest)


def _written(envelope: Envelope) -> str:
    data: dict[str, Any] = envelope._asdict() | {"at": as_rfc3339(envelope.at)}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
