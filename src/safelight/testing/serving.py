"""A stand-in on a loopback address: in a thread of this process, or in a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from safelight.testing.paid_stand_in import PaidStandIn
from safelight.testing.stand_in_journal import Journal
from safelight.testing.tiny_http import listen

S = TypeVar("S", bound=PaidStandIn)
LAST_WORDS_S = 0.2
"""How long connections may take to end by themselves when it stops."""


@contextmanager
def served(stand_in: S, port: int = 0) -> Iterator[S]:
    """The stand-in, reachable at its `url` while the block lasts, whatever loop or thread the block uses."""
    ready, stop = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    def run() -> None:
        async def serve() -> None:
            loops.append(asyncio.get_running_loop())
            await _serve(stand_in, port, stop, lambda _: ready.set())

        asyncio.run(serve())

    thread = threading.Thread(target=run, name=f"stand-in-{type(stand_in).__name__}", daemon=True)
    thread.start()
    if not ready.wait(10):
        raise RuntimeError("The stand-in did not begin to listen within 10 s.")
    try:
        yield stand_in
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join(10)


def main(stand_in: type[PaidStandIn], module: str, about: str | None) -> int:
    """`python -m safelight.testing.<module>`: serve until SIGTERM; the address is one line of JSON on stdout."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--journal", type=Path, required=True, help="file to write accepted POSTs to, a line each")
    parser.add_argument("--key", help="the only key it knows; without it any will do")
    arguments = parser.parse_args()
    made = stand_in(key=arguments.key, journal=Journal(arguments.journal))
    asyncio.run(_until_stopped(made, arguments.port))
    return 0


async def _until_stopped(stand_in: PaidStandIn, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await _serve(stand_in, port, stop, lambda url: print(json.dumps({"url": url}), flush=True))


async def _serve(stand_in: PaidStandIn, port: int, stop: asyncio.Event, listening: Callable[[str], None]) -> None:
    server = await listen(stand_in.handle, port)
    host, taken = server.sockets[0].getsockname()
    stand_in.url = f"http://{host}:{taken}"
    listening(stand_in.url)
    await stop.wait()
    await asyncio.sleep(0.01)  # asyncio leaks a connection that is being accepted while its server closes
    server.close()
    while talking := asyncio.all_tasks() - {asyncio.current_task()}:
        _, there = await asyncio.wait(talking, timeout=LAST_WORDS_S)
        for task in there:
            task.cancel()
    await asyncio.sleep(0)  # connections close in the turn after
