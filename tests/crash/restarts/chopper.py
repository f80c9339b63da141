"""A proxy between clients and servers that cuts connections, also in the middle of a message.

Clients know its address only, so that servers may come and go on any port behind it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random
from urllib.parse import urlsplit

PIECE_BYTES = 16_384
CONNECT_WITHIN_S = 5.0


class _Pair:
    """One connection of a client and the one that was made for it."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self._client, self._server = client, server
        self.doomed = False
        """The next piece from the server is cut somewhere, and is the last."""

    def cut(self) -> None:
        """As if the cable were pulled: nobody says goodbye."""
        self._client.transport.abort()
        self._server.transport.abort()


class Chopper:
    """Forwards to one of `servers`, which are `http://…` addresses and may change at any time."""

    def __init__(self, dice: Random) -> None:
        self.servers: list[str] = []
        self.url = ""
        self.cuts = 0
        self._dice = dice
        self._pairs: set[_Pair] = set()
        self._forwarding: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None

    async def open(self) -> None:
        self._listening = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        host, port = self._listening.sockets[0].getsockname()
        self.url = f"http://{host}:{port}"

    async def close(self) -> None:
        assert self._listening is not None
        self._listening.close()
        for pair in list(self._pairs):
            pair.cut()
        await asyncio.wait_for(asyncio.gather(*self._forwarding), CONNECT_WITHIN_S * 2)

    def chop(self, share: float) -> None:
        """Cut so many of the connections: some at once, some at whatever they are told next."""
        for pair in list(self._pairs):
            if self._dice.random() < share:
                self.cuts += 1
                if self._dice.random() < 0.5:
                    pair.cut()
                else:
                    pair.doomed = True

    def _begin(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._forward(reader, client))
        self._forwarding.add(task)
        task.add_done_callback(self._forwarding.discard)

    async def _forward(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        found = await self._server()
        if found is None:
            client.transport.abort()
            return
        from_server, server = found
        pair = _Pair(client, server)
        self._pairs.add(pair)
        try:
            pumps = [self._pump(reader, server), self._pump(from_server, client, pair)]
            tasks = [asyncio.create_task(pump) for pump in pumps]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._pairs.discard(pair)
            if pair.doomed:
                pair.cut()
            else:
                _close(client, server)

    async def _server(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for url in self._dice.sample(self.servers, len(self.servers)):
            address = urlsplit(url)
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(CONNECT_WITHIN_S):
                    return await asyncio.open_connection(address.hostname, address.port)
        return None

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, pair: _Pair | None = None) -> None:
        with suppress(OSError):
            while piece := await source.read(PIECE_BYTES):
                if pair is not None and pair.doomed:
                    sink.write(piece[: self._dice.randrange(len(piece))])
                    await sink.drain()
                    return
                sink.write(piece)
                await sink.drain()


def _close(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        with suppress(OSError, RuntimeError):
            writer.close()
