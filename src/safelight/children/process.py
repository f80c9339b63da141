"""The parent's end of a child process: starting it, sending orders, handing each answer to whoever asked."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import count

import structlog

from safelight.children.errands import Errand
from safelight.children.frames import Frame, receive

PYTHON = (sys.executable, "-P", "-m")
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""What computes with numpy keeps to one core; unused thread pools would only slow the start."""
READ_AHEAD = 1 << 20
GOODBYE_S = 2.0
STUCK_S = 10.0
ENDS = ("done", "stopped", "refused", "failed")

log = structlog.get_logger(__name__)

Answers = asyncio.Queue[Frame]


class ChildProcess:
    """One child process and the orders it has. Belongs to the event loop it was started in.

    A child that is to stop an order and says nothing at all for `stuck_s` hangs, and is killed. One that has had no
    order for `idle_s` is let go, with the memory it took.
    """

    def __init__(
        self, process: Process, orders: StreamWriter, answers: StreamReader, stuck_s: float, idle_s: float | None
    ) -> None:
        self._process, self._orders, self._stuck_s, self._idle_s = process, orders, stuck_s, idle_s
        self._numbers = count(1)
        self._waiting: dict[int, Answers] = {}
        self._stopping: set[int] = set()
        self._silence: asyncio.TimerHandle | None = None
        self._idleness: asyncio.TimerHandle | None = None
        self._killed = False
        self._retired = False
        self.ready = asyncio.Event()
        """Set once the child can work, and when it has gone, so that nobody waits for ever."""
        self._reader = asyncio.create_task(self._read(answers))

    @classmethod
    async def launch(
        cls,
        command: Sequence[str],
        stuck_s: float = STUCK_S,
        idle_s: float | None = None,
        environment: Mapping[str, str] = ONE_THREAD,
    ) -> ChildProcess:
        """Start a child; it warms up while this returns. `environment` adds to this process's own.

        Raises OSError if the system has no room for one.
        """
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, limit=READ_AHEAD, env={**os.environ, **environment}
        )
        if process.stdin is None or process.stdout is None:
            raise OSError("the child process has no pipes")
        return cls(process, process.stdin, process.stdout, stuck_s, idle_s)

    @property
    def alive(self) -> bool:
        return self._process.returncode is None and not self._reader.done() and not (self._killed or self._retired)

    @property
    def pid(self) -> int:
        return self._process.pid

    @contextmanager
    def at_work(self, errand: Errand) -> Iterator[Answers]:
        """Place an order; its frames arrive in the queue. Leaving early, for any reason, stops the work."""
        number, answers = next(self._numbers), Answers()
        self._waiting[number] = answers
        self._time_idleness()
        self._send(Frame({"number": number, "order": dict(errand.head)}, errand.body))
        try:
            yield answers
        finally:
            if self._waiting.pop(number, None) is not None:
                self._stop(number)
            self._time_idleness()

    def _stop(self, number: int) -> None:
        if not self.alive:
            return
        self._send(Frame({"stop": number}))
        self._stopping.add(number)
        if self._silence is None:
            self._time_silence()

    def _send(self, frame: Frame) -> None:
        """Frames are written whole, without waiting, so that no cancellation can cut one in two."""
        if self.alive and not self._orders.is_closing():
            self._orders.write(frame.packed())

    async def _read(self, answers: StreamReader) -> None:
        try:
            while True:
                self._hand_out(await receive(answers))
        except (asyncio.IncompleteReadError, ConnectionError):
            await self._ended()
        except Exception:  # the edge of the loop: a child that cannot be understood is of no more use
            log.exception("child_not_understood", pid=self.pid)
        finally:
            self._kill()
            self._tell_gone(await self._process.wait())

    def _hand_out(self, frame: Frame) -> None:
        """Answers to orders nobody waits for any more are dropped."""
        number, kind = frame.head["number"], frame.head["is"]
        if kind == "ready":
            self.ready.set()
        answers = self._waiting.get(number)
        if kind in ENDS:
            self._waiting.pop(number, None)
            self._stopping.discard(number)
        if frame.head.get("worn_out") and not self._waiting:
            self._let_go()
        if answers is not None:
            answers.put_nowait(frame)
        self._time_silence()

    def _tell_gone(self, status: int) -> None:
        self.ready.set()
        for answers in self._waiting.values():
            answers.put_nowait(Frame({"is": "gone", "status": status}))
        self._waiting.clear()
        self._stopping.clear()
        self._time_silence()

    def _time_silence(self) -> None:
        """Start anew to count the silence, if there is an order to be stopped."""
        if self._silence is not None:
            self._silence.cancel()
        loop = asyncio.get_running_loop()
        self._silence = loop.call_later(self._stuck_s, self._end_silence) if self._stopping else None

    def _end_silence(self) -> None:
        log.warning("child_hangs", pid=self.pid, silent_s=self._stuck_s)
        self._kill()

    def _time_idleness(self) -> None:
        """Start anew to count how long nobody wants anything, if nobody does."""
        if self._idleness is not None:
            self._idleness.cancel()
            self._idleness = None
        if self._idle_s is not None and not self._waiting and self.alive:
            self._idleness = asyncio.get_running_loop().call_later(self._idle_s, self._let_go)

    def _let_go(self) -> None:
        """It ends by itself when its input closes; the next order starts another."""
        self._retired = True
        self._orders.close()

    def _kill(self) -> None:
        self._killed = True
        with suppress(ProcessLookupError):
            self._process.kill()

    async def _ended(self) -> None:
        """Wait for the child to end by itself, but not for long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), GOODBYE_S)

    async def close(self) -> None:
        """Let the child go: first by closing its input, then by force."""
        if self._idleness is not None:
            self._idleness.cancel()
        self._let_go()
        await self._ended()
        self._kill()
        await self._reader
