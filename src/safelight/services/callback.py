"""Where the caller of a job wants to be told of it: an address, and the events that are told there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from safelight.domain.jobs import ENDINGS, EventType
from safelight.services.sql import as_json

TELLABLE: Final = (
    EventType.SUBMITTED,
    EventType.STARTED,
    EventType.RETRYING,
    EventType.REQUEUED,
    EventType.CANCEL_REQUESTED,
    *ENDINGS.values(),
)
"""Stored events that concern the job's owner. Progress is not stored: whoever wants it follows the job."""


@dataclass(frozen=True, slots=True)
class Callback:
    url: str
    events: tuple[EventType, ...] = tuple(ENDINGS.values())

    def asked(self) -> dict[str, object]:
        """As a request had it."""
        return {"url": self.url, "events": [str(event) for event in self.events]}


def written(callback: Callback | None) -> str | None:
    """As it stands in the job's row."""
    return None if callback is None else as_json(callback.asked())


def read(text: str | None) -> Callback | None:
    """What `written` wrote. Types that only a newer release tells are left out."""
    if text is None:
        return None
    found = json.loads(text)
    return Callback(found["url"], tuple(event for event in TELLABLE if event in found["events"]))
