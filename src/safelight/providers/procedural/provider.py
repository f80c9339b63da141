"""The built-in `procedural` provider: pictures drawn by rules, without any model, in a process of their own."""

from __future__ import annotations

import asyncio

from safelight.domain.outcomes import Done, ErrorClass, Output, ProviderError, Rejected, RemoteState
from safelight.providers.procedural.childprocess import STUCK_S, Answers, RendererProcess
from safelight.providers.procedural.frames import Frame
from safelight.providers.procedural.order import Order, read_order
from safelight.providers.protocol import Generation, Preview, ProbeResult, Report


class ProceduralProvider:
    """Draws in one long-lived, niced child process, one order after the other. Never imports numpy or Pillow here.

    The child starts at first use or with `warm_up`, and again after it was lost. If it is to stop a drawing and keeps
    silent for `stuck_s`, it is killed. An instance belongs to one event loop.
    """

    name = "procedural"
    repeatable = True
    idempotent = False
    fingerprint = ""

    def __init__(self, stuck_s: float = STUCK_S) -> None:
        self._stuck_s = stuck_s
        self._child: RendererProcess | None = None
        self._starting = asyncio.Lock()

    @property
    def renderer_pid(self) -> int | None:
        """Process id of the renderer, while there is one."""
        return self._child.pid if self._child is not None and self._child.alive else None

    async def warm_up(self) -> None:
        """Start the renderer and wait until it can draw, so that the first picture is as quick as the others."""
        await (await self._renderer()).ready.wait()

    async def start(self, generation: Generation, call_id: str, report: Report) -> RemoteState:
        order = read_order(generation)
        if isinstance(order, ProviderError):
            return Rejected(order)
        try:
            child = await self._renderer()
        except OSError as error:
            return _unavailable(f"The renderer process could not be started: {error}.")
        with child.draw(order) as answers:
            return await _follow(answers, order, report)

    async def poll(self, remote_id: str) -> RemoteState:
        return Rejected(
            ProviderError(ErrorClass.PROTOCOL, "The procedural provider answers at once; there is nothing to poll.")
        )

    async def cancel(self, remote_id: str) -> None:
        """Nothing runs elsewhere: a drawing stops when its report says so."""

    async def probe(self) -> ProbeResult:
        return ProbeResult(reachable=True, message="built in; needs no key")

    async def close(self) -> None:
        async with self._starting:
            child, self._child = self._child, None
        if child is not None:
            await child.close()

    async def _renderer(self) -> RendererProcess:
        async with self._starting:
            if self._child is None or not self._child.alive:
                self._child = await RendererProcess.launch(self._stuck_s)
            return self._child


async def _follow(answers: Answers, order: Order, report: Report) -> RemoteState:
    """Pass stages on to `report` and collect the pictures, until the order has ended one way or another."""
    outputs: list[Output] = []
    while True:
        frame = await answers.get()
        match frame.head["is"]:
            case "stage":
                if not await report(frame.head["progress"], preview=Preview(frame.body, "image/webp")):
                    return _unavailable("stopped")
            case "picture":
                outputs.append(_output(frame, order))
            case "done":
                return Done(tuple(outputs))
            case "stopped":
                return _unavailable("stopped")
            case "failed":
                return Rejected(ProviderError(ErrorClass.PROTOCOL, f"The renderer failed: {frame.head['why']}"))
            case "gone":
                return _unavailable(f"The renderer process ended unexpectedly (exit status {frame.head['status']}).")
            case other:
                return Rejected(ProviderError(ErrorClass.PROTOCOL, f"The renderer answered {other!r}."))


def _output(frame: Frame, order: Order) -> Output:
    labels = {"seed": frame.head["seed"], "ai_generated": False, "renderer": "procedural"}
    return Output(frame.body, order.mime, order.width, order.height, metadata=labels)


def _unavailable(message: str) -> Rejected:
    return Rejected(ProviderError(ErrorClass.UNAVAILABLE, message))
