"""Follow a job by asking again and again, where no events can be streamed. Unchanged answers cost a 304."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import httpx

from safelight.client.calls import Caller, json_object
from safelight.client.events import Event, snapshot_of

SHORTEST_S = 0.1
LONGEST_S = 2.0


async def poll(caller: Caller, job_id: str, after: int | None) -> AsyncGenerator[Event]:
    """A snapshot for every change that is seen, until the job has ended. Asks less often while nothing changes."""
    seen, etag, pause_s = after, "", SHORTEST_S
    while True:
        response = await caller.get(f"/api/jobs/{job_id}", headers={"If-None-Match": etag} if etag else {})
        pause_s = min(LONGEST_S, pause_s * 1.5)
        if response.status_code != httpx.codes.NOT_MODIFIED:
            etag = response.headers.get("ETag", "")
            event = snapshot_of(json_object(response))
            if seen is None or event.sequence > seen:
                seen, pause_s = event.sequence, SHORTEST_S
                yield event
            if event.is_last:
                return
        await caller.sleep(pause_s)
