"""The metrics of a process that has no API: one page, over as much HTTP as Prometheus needs."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from safelight.domain.errors import BadSettings, Remedy, SafelightError
from safelight.store.database import Database
from safelight.worker.metrics_page import CONTENT_TYPE, page

log = structlog.get_logger(__name__)

READ_WITHIN_S, ANSWER_WITHIN_S = 5.0, 10.0


async def serve_metrics(database: Database, host: str, port: int) -> asyncio.Server:
    """Listen until it is closed; port 0 takes a free one. Raises BadSettings where it cannot."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(READ_WITHIN_S):
                head = await reader.readuntil(b"\r\n\r\n")
            async with asyncio.timeout(ANSWER_WITHIN_S):
                writer.write(await _answer(database, head))
                await writer.drain()
        writer.close()

    try:
        server = await asyncio.start_server(connected, host, port)
    except OSError as error:
        raise BadSettings(
            f"Metrics cannot be served at {host}:{port}: {error.strerror or error}.",
            remedy=Remedy("Choose another port.", "safelight worker --metrics-port 0"),
        ) from error
    log.info("metrics.ready", url=f"http://{host}:{server.sockets[0].getsockname()[1]}/metrics")
    return server


async def _answer(database: Database, head: bytes) -> bytes:
    method, _, rest = head.partition(b" ")
    if method != b"GET" or rest.partition(b" ")[0].partition(b"?")[0] != b"/metrics":
        return _written(404, b"There is only GET /metrics.\n", "text/plain; charset=utf-8")
    try:
        return _written(200, await page(database), CONTENT_TYPE)
    except SafelightError as error:
        return _written(503, f"{error.what}\n".encode(), "text/plain; charset=utf-8")


def _written(status: int, content: bytes, content_type: str) -> bytes:
    phrase = {200: "OK", 404: "Not Found", 503: "Service Unavailable"}[status]
    lines = [f"HTTP/1.1 {status} {phrase}", f"Content-Type: {content_type}", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + content
