"""Read a stream of server-sent events as a browser would, one after the other, with a limit to every wait."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

SILENCE_S = 15.0


@dataclass(frozen=True, slots=True)
class Event:
    """One event, or a comment: then only `comment` is set."""

    type: str = ""
    id: int = 0
    data: Mapping[str, Any] | None = None
    comment: str | None = None

    @property
    def payload(self) -> Mapping[str, Any]:
        assert self.data is not None
        payload: Mapping[str, Any] = self.data["payload"]
        return payload


class Watch:
    """An open stream."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._events = _events(_lines(answer))

    def everything(self) -> list[Event]:
        """All that comes until the server ends the stream, comments included."""
        return list(self._events)

    def next(self) -> Event:
        """The next event that is no comment."""
        return next(self.live())

    def next_comment(self) -> Event:
        return next(event for event in self._events if event.comment is not None)

    def live(self) -> Iterator[Event]:
        """Events as they come, until the server ends the stream. Comments alone are silence too."""
        heard_at = time.monotonic()
        for event in self._events:
            if event.comment is None:
                yield event
                heard_at = time.monotonic()
            assert time.monotonic() - heard_at < SILENCE_S, "nothing came but comments"

    def rest(self) -> list[Event]:
        """Events until the server ends the stream."""
        return list(self.live())

    def until(self, event_type: str) -> list[Event]:
        """Events up to and including the first of that type."""
        seen = []
        for event in self.live():
            seen.append(event)
            if event.type == event_type:
                return seen
        raise AssertionError(f"the stream ended without {event_type}; it brought {[event.type for event in seen]}")


@contextmanager
def watching(
    base: str,
    job_id: str,
    *,
    last_event_id: int | str | None = None,
    after: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Iterator[Watch]:
    """The events of a job. Silence for longer than SILENCE_S is an error."""
    headers = {**(headers or {}), **({} if last_event_id is None else {"Last-Event-ID": str(last_event_id)})}
    query = {} if after is None else {"after": after}
    url = f"{base}/api/jobs/{job_id}/events"
    with (
        httpx.Client(timeout=SILENCE_S, trust_env=False) as client,
        client.stream("GET", url, headers=headers, params=query) as answer,
    ):
        yield Watch(answer)


def _lines(answer: httpx.Response) -> Iterator[str]:
    """As a browser splits them: other characters that end lines elsewhere may stand in a text."""
    rest = b""
    for piece in answer.iter_bytes():
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line.decode() for line in lines)


def _events(lines: Iterator[str]) -> Iterator[Event]:
    found: dict[str, str] = {}
    for line in lines:
        if line.startswith(":"):
            yield Event(comment=line[1:].strip())
        elif line:
            name, _, value = line.partition(": ")
            found[name] = value
        elif found:
            yield Event(found["event"], int(found["id"]), json.loads(found["data"]))
            found = {}
