"""Connecting to a name: it is looked up once, every answer is checked, and what was checked is what is dialled.

Checking a name first and leaving the connection to a library would look it up twice, and the second answer may be
another one.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import httpcore

from safelight.net.addresses import Address, is_public
from safelight.net.errors import RefusedTarget, Unreachable

LOOK_UPS = 16
"""At a time: a name server that never answers must not keep the threads of everybody else."""
MOST_ADDRESSES = 4
"""Of one name that are tried, one after the other."""
LookUp = Callable[[str, int], Awaitable[Sequence[str]]]


async def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name, by the system's resolver. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(
        _threads(), lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    )
    return list(dict.fromkeys(str(answer[4][0]) for answer in found))


class GuardedDialler(httpcore.AsyncNetworkBackend):
    """Reaches public addresses, and the places (`host:port`) that are exempt. Raises RefusedTarget and Unreachable."""

    def __init__(self, exempt: Collection[str], look_up: LookUp, network: httpcore.AsyncNetworkBackend) -> None:
        self._exempt, self._look_up, self._network = exempt, look_up, network

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        place, addresses = _place(host, port), await self.addresses(host, port)
        failure: Exception | None = None
        for address in addresses[:MOST_ADDRESSES]:
            try:
                return await self._network.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise Unreachable(f"{place} cannot be reached: {failure or 'it has no address'}.") from failure

    async def addresses(self, host: str, port: int) -> list[Address]:
        """Where a name leads now. Raises RefusedTarget and Unreachable."""
        found = await self._addresses(host, port)
        if _place(host, port).lower() not in self._exempt:
            refuse_private(_place(host, port), found)
        return found

    async def sleep(self, seconds: float) -> None:
        """Only httpcore's own retries would sleep, and they are off."""
        await self._network.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> list[Address]:
        try:
            return [ipaddress.ip_address(text) for text in await self._look_up(host, port)]
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise Unreachable(f"The name {host!r} cannot be looked up: {reason}.") from error


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def refuse_private(place: str, addresses: Sequence[Address]) -> None:
    """One private answer among public ones is refused as well: an honest name has none. Raises RefusedTarget."""
    if not all(map(is_public, addresses)):  # which one it is stays inside: it would tell strangers of this network
        raise RefusedTarget(
            f"{place} does not lead to a public address."
            f" The operator can exempt it: SAFELIGHT_ALLOW_PRIVATE_HOSTS={place}."
        )


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(LOOK_UPS, thread_name_prefix="safelight-names")
