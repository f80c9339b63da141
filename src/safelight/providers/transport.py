"""How a paid request leaves this process: once, on a fresh connection, and only while the lease is held.

A kept connection may have been closed by the other side just now; then nobody could tell whether the request was read.
On a fresh one a failure before the first byte is proof that nothing was sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from safelight.net.certificates import tls
from safelight.providers.protocol import NotSent

FIRST_BYTE = "http11.send_request_headers.started"
"""httpcore's name of the moment, in its trace extension."""


async def post_once(
    url: str,
    *,
    may_send: Callable[[], bool],
    timeout_s: float,
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    content: bytes | None = None,
) -> httpx.Response:
    """POST a paid request. Raises NotSent if it certainly did not leave, else httpx's error: then nobody knows.

    Redirects are not followed and nothing is tried again.
    """

    async def trace(event: str, _info: Mapping[str, Any]) -> None:
        if event == FIRST_BYTE and not may_send():
            raise NotSent("the worker had lost its lease before the request was sent")

    certificates = await asyncio.to_thread(tls) if url.startswith("https:") else False
    transport = httpx.AsyncHTTPTransport(verify=certificates, http2=False, retries=0)
    async with httpx.AsyncClient(transport=transport, timeout=timeout_s, follow_redirects=False) as client:
        try:
            return await client.post(url, headers=headers, json=json, content=content, extensions={"trace": trace})
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NotSent(f"no connection: {error}") from error
