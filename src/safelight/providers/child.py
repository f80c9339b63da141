"""A provider whose work is done by a child process: everything but what is asked of the child."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from safelight.children.errands import Errand
from safelight.children.frames import Frame
from safelight.children.process import ONE_THREAD, PYTHON, STUCK_S, Answers, ChildProcess
from safelight.domain.outcomes import Done, ErrorClass, Output, ProviderError, Rejected, RemoteState
from safelight.providers.protocol import Generation, Preview, ProbeResult, Report

IDLE_S = 60.0
KILLED = -9
"""The exit status of a process that was ended by SIGKILL."""


class ChildProvider(ABC):
    """Works in one long-lived, niced child process, one order after the other, and imports no heavy library here.

    The child starts at first use or with `warm_up`, and again after it was lost or let go. If it is to stop an order
    and keeps silent for `stuck_s`, it is killed. An instance belongs to one event loop.
    """

    name: str
    repeatable = True
    idempotent = False
    fingerprint = ""
    module: ClassVar[str]
    """What the child runs."""
    idle_s: ClassVar[float | None] = IDLE_S
    """After so long without an order the child is let go; None keeps it."""
    environment: ClassVar[Mapping[str, str]] = ONE_THREAD

    def __init__(self, stuck_s: float = STUCK_S, python: Sequence[str] = PYTHON) -> None:
        """`python` is the command that runs the module."""
        self._stuck_s, self._python = stuck_s, python
        self._child: ChildProcess | None = None
        self._starting = asyncio.Lock()

    @abstractmethod
    def read_order(self, generation: Generation) -> Errand | ProviderError:
        """The order, or why it cannot be carried out. The catalog validated; this guards against a changed catalog."""

    @property
    def child_pid(self) -> int | None:
        """Process id of the child, while there is one."""
        return self._child.pid if self._child is not None and self._child.alive else None

    async def warm_up(self) -> None:
        """Start the child and wait until it can work; one that is let go when idle starts with the first order."""
        if self.idle_s is None:
            await (await self._ready_child()).ready.wait()

    async def start(self, generation: Generation, call_id: str, report: Report) -> RemoteState:
        errand = self.read_order(generation)
        if isinstance(errand, ProviderError):
            return Rejected(errand)
        try:
            child = await self._ready_child()
        except OSError as error:
            return _unavailable(f"The process for it could not be started: {error}.")
        with child.at_work(errand) as answers:
            return await _follow(answers, report)

    async def poll(self, remote_id: str) -> RemoteState:
        return Rejected(
            ProviderError(ErrorClass.PROTOCOL, f"Provider {self.name!r} answers at once; there is nothing to poll.")
        )

    async def cancel(self, remote_id: str) -> None:  # noqa: B027 - there is nothing to override it for
        """Nothing runs elsewhere: the work stops when its report says so."""

    async def probe(self) -> ProbeResult:
        return ProbeResult(reachable=True, message="built in; needs no key")

    async def close(self) -> None:
        async with self._starting:
            child, self._child = self._child, None
        if child is not None:
            await child.close()

    async def _ready_child(self) -> ChildProcess:
        async with self._starting:
            if self._child is None or not self._child.alive:
                self._child = await ChildProcess.launch(
                    (*self._python, self.module), self._stuck_s, self.idle_s, self.environment
                )
            return self._child


async def _follow(answers: Answers, report: Report) -> RemoteState:
    """Pass stages on to `report` and collect the files, until the order has ended one way or another."""
    outputs: list[Output] = []
    while True:
        frame = await answers.get()
        match frame.head["is"]:
            case "stage":
                preview = Preview(frame.body, "image/webp") if frame.body else None
                if not await report(frame.head["progress"], preview=preview):
                    return _unavailable("stopped")
            case "file":
                outputs.append(_output(frame))
            case "done":
                return Done(tuple(outputs))
            case "stopped":
                return _unavailable("stopped")
            case "refused":
                return Rejected(ProviderError(ErrorClass(frame.head["class"]), frame.head["why"]))
            case "failed":
                return Rejected(ProviderError(ErrorClass.PROTOCOL, f"The renderer failed: {frame.head['why']}"))
            case "gone":
                return _unavailable(_how_it_ended(frame.head["status"]))
            case other:
                return Rejected(ProviderError(ErrorClass.PROTOCOL, f"The renderer answered {other!r}."))


def _how_it_ended(status: int) -> str:
    what = f"The renderer process ended unexpectedly (exit status {status})."
    return f"{what} It was killed, perhaps for want of memory." if status == KILLED else what


def _output(frame: Frame) -> Output:
    about = {name: value for name, value in frame.head.items() if name not in ("number", "is")}
    return Output(frame.body, **about)


def _unavailable(message: str) -> Rejected:
    return Rejected(ProviderError(ErrorClass.UNAVAILABLE, message))
