"""The seam between a commit and those who wait for its news, in this process and in others."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from json import dumps
from typing import Protocol


class Nudger(Protocol):
    """Rings the bells of this process at once, and those of others very soon. For the event loop only."""

    @property
    def address(self) -> str | None:
        """Where others can nudge this process; None while it is not open."""

    async def open(self) -> None:
        """Begin to hear others."""

    def set_peers(self, addresses: Collection[str]) -> None:
        """Which other processes are there."""

    def announce(self, topics: tuple[str, ...]) -> None:
        """Wake whoever waits for one of the topics. A hint: it may be lost, and who waits also looks now and then."""

    def close(self) -> None:
        """Send what waits, and hear nobody any more."""


def parcels(topics: list[str], largest_bytes: int) -> Iterator[str]:
    """JSON lists, each short enough to travel whole; a topic that is too long for any stays behind."""
    size, part = 2, list[str]()
    for topic in topics:
        quoted_bytes = len(dumps(topic)) + len(", ")
        if quoted_bytes > largest_bytes:
            continue
        if part and size + quoted_bytes > largest_bytes:
            yield dumps(part)
            size, part = 2, []
        part.append(topic)
        size += quoted_bytes
    if part:
        yield dumps(part)
