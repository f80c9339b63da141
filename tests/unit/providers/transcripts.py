"""Feed events to a reader of streams, as if they came over the network."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from safelight.domain.outcomes import RemoteState
from safelight.providers.sse import ServerSentEvent
from safelight.providers.streaming import Transcript


def fed(transcript: Transcript, events: Iterable[Any]) -> RemoteState | None:
    """What it comes to: by an event that is the last, or at the end of all. Texts are events as they are."""
    for event in events:
        data = event if isinstance(event, str) else json.dumps(event)
        if (state := transcript.take(ServerSentEvent("", data))) is not None:
            return state
    return transcript.outcome()
