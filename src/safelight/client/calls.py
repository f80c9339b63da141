"""One exchange with the server: explicit time-outs, bounded retries of what may be repeated, errors translated."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx

from safelight.client.errors import not_safelight, refused, unreachable

TIMEOUT = httpx.Timeout(connect=3.0, read=30.0, write=30.0, pool=5.0)
TRIES = 3
LONGEST_PAUSE_S = 10.0


class Caller:
    """Sends requests. Knows nothing of jobs."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.http = http
        self.sleep = sleep
        self._jitter = jitter

    async def get(self, path: str, **request: Any) -> httpx.Response:
        return await self.ask("GET", path, may_repeat=True, **request)

    async def ask(self, method: str, path: str, *, may_repeat: bool, **request: Any) -> httpx.Response:
        """The answer, if it is a success or 304. `may_repeat`: asking twice does no harm."""
        for pause_s in self.pauses() if may_repeat else (None,):
            try:
                response = await self.http.request(method, path, timeout=TIMEOUT, **request)
            except httpx.TransportError as error:
                if pause_s is None:
                    raise unreachable(error) from error
                await self.sleep(pause_s)
            else:
                break
        if response.is_success or response.status_code == httpx.codes.NOT_MODIFIED:
            return response
        raise refused(response)

    def pauses(self, tries: int = TRIES) -> Iterator[float | None]:
        """How long to wait after each failed try; `None` after the last one."""
        for n in range(tries - 1):
            yield self.pause_s(n)
        yield None

    def pause_s(self, n: int) -> float:
        """Exponential from 0.2 s, between half and full, so that many clients do not come back at once."""
        return float(min(LONGEST_PAUSE_S, 0.2 * 2.0**n) * (0.5 + 0.5 * self._jitter()))


def json_object(response: httpx.Response) -> dict[str, Any]:
    """The body of a success that must be an object, as nearly all are."""
    body = _json(response)
    if not isinstance(body, dict):
        raise not_safelight(response)
    return body


def json_array(response: httpx.Response) -> list[Any]:
    """The body of a success that must be an array."""
    body = _json(response)
    if not isinstance(body, list):
        raise not_safelight(response)
    return body


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError as error:
        raise not_safelight(response) from error
