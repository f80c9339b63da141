"""Nudges between the processes of one machine: a loopback datagram that names topics.

Lost, repeated or forged, a nudge is harmless: it only makes somebody look at the rows.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Collection

import structlog

from safelight.events.hub import Hub
from safelight.queues.nudger import parcels

log = structlog.get_logger(__name__)

GATHER_S = 0.002
"""Wake-ups of this span travel in one datagram."""
LARGEST_BYTES = 8_192
_LOOPBACK = re.compile(r"127\.0\.0\.1:[1-9][0-9]{0,4}")


class Nudges(asyncio.DatagramProtocol):
    """Rings the bells of this process and of its peers."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._peers: list[tuple[str, int]] = []
        self._gathered: set[str] = set()
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self) -> None:
        """Listen on a free loopback port."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))

    @property
    def address(self) -> str | None:
        """Where others can nudge this process, as `host:port`."""
        if self._transport is None:
            return None
        host, port = self._transport.get_extra_info("sockname")[:2]
        return f"{host}:{port}"

    def set_peers(self, addresses: Collection[str]) -> None:
        """Replace the processes to nudge; only loopback addresses are ever used."""
        own = self.address
        self._peers = [_split(a) for a in addresses if a != own and _LOOPBACK.fullmatch(a)]

    def announce(self, topics: tuple[str, ...]) -> None:
        """Ring here at once, and everywhere else very soon. For the event loop only."""
        self._hub.wake(topics)
        if not self._peers:
            return
        if not self._gathered:
            asyncio.get_running_loop().call_later(GATHER_S, self._send)
        self._gathered.update(topics)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        try:
            topics = json.loads(data)
        except (ValueError, RecursionError):  # the latter: brackets within brackets within brackets
            log.warning("nudge_unreadable", size_bytes=len(data), sender=str(addr))
            return
        if isinstance(topics, list):
            self._hub.wake(topic for topic in topics if isinstance(topic, str))

    def error_received(self, exc: Exception) -> None:
        """A peer that is gone answers with an ICMP error; its row will soon be gone too."""

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _send(self) -> None:
        topics, self._gathered = sorted(self._gathered), set()
        if self._transport is None:
            return
        for parcel in parcels(topics, LARGEST_BYTES):
            for peer in self._peers:
                self._transport.sendto(parcel.encode(), peer)


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)
