"""Telling something to a server that a user named: one POST, whose answer's status is all that is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from safelight.net.errors import Unreachable
from safelight.net.guarded import Guarded, ask
from safelight.net.targets import read_target

LOOK_UP_WITHIN_S = 5.0


async def refuse_private_target(guarded: Guarded, url: str) -> None:
    """Raise RefusedTarget for what is no URL, and for a name that leads to a private address now.

    A name that cannot be looked up is let pass: name servers may be away for a moment, and whoever connects checks
    again.
    """
    target = read_target(url)
    host, port = target.url.raw_host.decode("ascii"), int(target.place.rpartition(":")[2])
    try:
        async with asyncio.timeout(LOOK_UP_WITHIN_S):
            await guarded.dialler().addresses(host, port)
    except (Unreachable, TimeoutError):
        return


async def post(guarded: Guarded, url: str, content: bytes, *, headers: Mapping[str, str], within_s: float) -> int:
    """The status of the answer, whatever it is: a redirect is not followed, a body is not read. Raises FetchError."""
    async with guarded.opened(url, within_s) as (pool, target):
        answer = await ask(pool, target, headers, content)
        await answer.aclose()
        return answer.status
