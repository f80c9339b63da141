"""Thousands of subscribers in one process of their own, cheap enough to leave the processor to the server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from websockets.asyncio.client import connect

from safelight.worker.machine import raise_open_files

DAY_S = 86_400.0
WITHIN_S, CONNECTED_WITHIN_S, AT_ONCE = 150.0, 90.0, 50
Follow = Callable[[int, str], AsyncIterator[dict[str, Any]]]


@dataclass(slots=True)
class Heard:
    """What all subscribers were told: progress and when it was seen, and how late they heard of the start."""

    progress: list[tuple[float, float]] = field(default_factory=list)
    burst_s: list[float] = field(default_factory=list)
    events: int = 0
    incomplete: int = 0

    def hear(self, event: dict[str, Any]) -> None:
        self.events += 1
        if event["type"] == "job.progress" and 0 < event["payload"]["progress"] < 1:
            self.progress.append((event["payload"]["progress"], time.time()))
        elif event["type"] == "job.started":
            self.burst_s.append(time.time() - datetime.fromisoformat(event["at"]).timestamp())


async def listen(port: int, ids: list[str], each: int, stalled: int, transport: str) -> Heard:
    """`each` subscribers of each job until it has completed; and `stalled` more, who subscribe and never read."""
    raise_open_files()
    heard, room = Heard(), asyncio.Semaphore(AT_ONCE)
    follow = {"socket": _socket, "stream": _stream}[transport]
    deaf = [await _never_reads(port, ids[n % len(ids)]) for n in range(stalled)]
    subscribers = [_subscriber(heard, follow, port, job_id, room) for job_id in ids for _ in range(each)]
    await asyncio.gather(*subscribers)
    for writer in deaf:
        writer.close()
    return heard


def until_connected(url: str, count: int, listening: Future[Heard]) -> None:
    """Until the server says that so many follow jobs. Raises if they gave up."""
    ends_at = time.monotonic() + CONNECTED_WITHIN_S
    while _subscribers_of(url) < count:
        if listening.done():
            listening.result()
        if listening.done() or time.monotonic() > ends_at:
            raise RuntimeError(f"{_subscribers_of(url)} of {count} subscribers are connected")
        time.sleep(0.2)


def _subscribers_of(url: str) -> int:
    lines = httpx.get(f"{url}/metrics", timeout=30).text.splitlines()
    return int(sum(float(line.split()[-1]) for line in lines if line.startswith("safelight_subscribers ")))


async def _subscriber(heard: Heard, follow: Follow, port: int, job_id: str, room: asyncio.Semaphore) -> None:
    types: list[str] = []
    await room.acquire()
    with suppress(TimeoutError):
        async with asyncio.timeout(WITHIN_S):
            async for event in follow(port, job_id):
                if not types:
                    room.release()
                types.append(event["type"])
                heard.hear(event)
                if event["type"] == "job.completed":
                    break
    if not types:
        room.release()
    heard.incomplete += [types[0:1], types[-1:]] != [["snapshot"], ["job.completed"]]


async def _socket(port: int, job_id: str) -> AsyncIterator[dict[str, Any]]:
    address = f"ws://127.0.0.1:{port}/api/ws"
    async with connect(address, compression=None, proxy=None, ping_interval=None, open_timeout=60) as socket:
        await socket.send(json.dumps({"subscribe": f"job:{job_id}"}))
        async for text in socket:
            event = json.loads(text)
            if "type" in event:
                yield event


async def _stream(port: int, job_id: str) -> AsyncIterator[dict[str, Any]]:
    reader, writer = await _asked(port, job_id)
    try:
        while line := await reader.readline():
            if line.startswith(b"data: "):
                yield json.loads(line[6:])
    finally:
        writer.close()


async def _never_reads(port: int, job_id: str) -> asyncio.StreamWriter:
    _, writer = await _asked(port, job_id, limit=2**10)
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    return writer


async def _asked(port: int, job_id: str, limit: int = 2**16) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=limit)
    writer.write(f"GET /api/jobs/{job_id}/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    return reader, writer
