"""The parent's end of the renderer process: starting it, sending orders, handing each answer to whoever asked."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import count

from safelight.providers.procedural.frames import Frame, receive
from safelight.providers.procedural.order import Order

COMMAND = (sys.executable, "-P", "-m", "safelight.providers.procedural.renderer")
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""The renderer keeps to one core; unused thread pools would only slow its start."""
READ_AHEAD = 1 << 20
GOODBYE_S = 2.0

Answers = asyncio.Queue[Frame]


class RendererProcess:
    """One child process and the orders it has. Belongs to the event loop it was started in."""

    def __init__(self, process: Process, orders: StreamWriter, answers: StreamReader) -> None:
        self._process, self._orders = process, orders
        self._numbers = count(1)
        self._waiting: dict[int, Answers] = {}
        self.ready = asyncio.Event()
        """Set once the child draws, and when it has gone, so that nobody waits for ever."""
        self._reader = asyncio.create_task(self._read(answers))

    @classmethod
    async def launch(cls) -> RendererProcess:
        """Start a child; it warms up while this returns. Raises OSError if the system has no room for one."""
        process = await asyncio.create_subprocess_exec(
            *COMMAND, stdin=PIPE, stdout=PIPE, limit=READ_AHEAD, env={**os.environ, **ONE_THREAD}
        )
        if process.stdin is None or process.stdout is None:
            raise OSError("the renderer process has no pipes")
        return cls(process, process.stdin, process.stdout)

    @property
    def alive(self) -> bool:
        return self._process.returncode is None and not self._reader.done()

    @property
    def pid(self) -> int:
        return self._process.pid

    @contextmanager
    def draw(self, order: Order) -> Iterator[Answers]:
        """Place an order; its frames arrive in the queue. Leaving early, for any reason, stops the drawing."""
        number, answers = next(self._numbers), Answers()
        self._waiting[number] = answers
        self._send(Frame({"number": number, "order": asdict(order)}))
        try:
            yield answers
        finally:
            if self._waiting.pop(number, None) is not None:
                self._send(Frame({"stop": number}))

    def _send(self, frame: Frame) -> None:
        """Frames are written whole, without waiting, so that no cancellation can cut one in two."""
        if self.alive and not self._orders.is_closing():
            self._orders.write(frame.packed())

    async def _read(self, answers_stream: StreamReader) -> None:
        try:
            while True:
                self._hand_out(await receive(answers_stream))
        except (asyncio.IncompleteReadError, ConnectionError):
            status = await self._process.wait()
        finally:
            self.ready.set()
        for answers in self._waiting.values():
            answers.put_nowait(Frame({"is": "gone", "status": status}))
        self._waiting.clear()

    def _hand_out(self, frame: Frame) -> None:
        """Answers to orders nobody waits for any more are dropped."""
        number, kind = frame.head["number"], frame.head["is"]
        if kind == "ready":
            self.ready.set()
        answers = self._waiting.get(number)
        if kind in ("done", "stopped", "failed"):
            self._waiting.pop(number, None)
        if answers is not None:
            answers.put_nowait(frame)

    async def close(self) -> None:
        """Let the child go: first by closing its input, then by force."""
        self._orders.close()
        try:
            await asyncio.wait_for(self._process.wait(), GOODBYE_S)
        except TimeoutError:
            self._process.kill()
        await self._reader
