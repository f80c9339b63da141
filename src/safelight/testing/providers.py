"""A provider that plays scripts: for tests of everything that happens around a provider call."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from safelight.domain.outcomes import Done, ErrorClass, Output, Pending, ProviderError, Rejected, RemoteState
from safelight.providers.protocol import Generation, Preview, ProbeResult, Report
from safelight.testing.pictures import SIDE_PX, tiny_png


@dataclass(frozen=True, slots=True)
class Says:
    """Report progress. If it is told to stop, an obedient provider is rejected as stopped."""

    progress: float
    preview: Preview | None = None
    text: str | None = None
    obeys: bool = True


@dataclass(frozen=True, slots=True)
class Waits:
    """Say that the step was reached, then wait until the test lets go."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)


Step = RemoteState | Exception | Says | Waits


def done(pictures: int = 1, *, cost_usd: float | None = None) -> Done:
    """A delivery of tiny pictures, each different."""
    outputs = (Output(tiny_png(shade), "image/png", SIDE_PX, SIDE_PX) for shade in range(pictures))
    return Done(tuple(outputs), cost_usd)


def rejected(error_class: ErrorClass | str, message: str = "no", *, retry_after_s: float | None = None) -> Rejected:
    return Rejected(ProviderError(ErrorClass(error_class), message, f"code-{error_class}", retry_after_s))


class ScriptedProvider:
    """Plays one script per call of `start`, in order; afterwards every call delivers one tiny picture.

    A script is a list of steps. `start` plays up to the first outcome (or exception), every `poll` up to the next.
    """

    def __init__(
        self, *scripts: Sequence[Step], name: str = "scripted", repeatable: bool = True, idempotent: bool = False
    ) -> None:
        self.name, self.repeatable, self.idempotent = name, repeatable, idempotent
        self.fingerprint = ""
        self._scripts: Iterator[Iterable[Step]] = iter(scripts)
        self._accepted: dict[str, Iterator[Step]] = {}
        self.generations: list[Generation] = []
        self.call_ids: list[str] = []
        self.polled: list[str] = []
        self.canceled: list[str] = []
        self.answers: list[bool] = []
        """What each report was answered."""
        self.when_canceled: Exception | Waits | None = None
        """What becomes of a `cancel`; without it the provider obeys."""
        self.findable: dict[str, str] = {}
        """Remote ids by call id, for `find`."""
        self.looked_for: list[str] = []
        self.closed = 0

    async def warm_up(self) -> None:
        """Nothing to get ready."""

    async def start(self, generation: Generation, call_id: str, report: Report) -> RemoteState:
        self.generations.append(generation)
        self.call_ids.append(call_id)
        steps = iter(next(self._scripts, [done()]))
        return await self._play(steps, report)

    async def poll(self, remote_id: str) -> RemoteState:
        self.polled.append(remote_id)
        if remote_id not in self._accepted:
            return rejected(ErrorClass.INVALID_REQUEST, f"there is no {remote_id!r}")
        return await self._play(self._accepted[remote_id], _Nobody())

    async def cancel(self, remote_id: str) -> None:
        self.canceled.append(remote_id)
        match self.when_canceled:
            case Exception() as error:
                raise error
            case Waits() as waits:
                waits.reached.set()
                await waits.let_go.wait()

    async def find(self, call_id: str) -> str | None:
        self.looked_for.append(call_id)
        return self.findable.get(call_id)

    async def probe(self) -> ProbeResult:
        return ProbeResult(reachable=True, message="plays scripts")

    async def close(self) -> None:
        self.closed += 1

    def remember(self, remote_id: str, *steps: Step) -> None:
        """As if a call of that name had been accepted by an earlier process: what its polls will find."""
        self._accepted[remote_id] = iter(steps)

    async def _play(self, steps: Iterator[Step], report: Report) -> RemoteState:
        for step in steps:
            match step:
                case Says():
                    self.answers.append(await report(step.progress, preview=step.preview, text=step.text))
                    if step.obeys and not self.answers[-1]:
                        return rejected(ErrorClass.UNAVAILABLE, "stopped")
                case Waits():
                    step.reached.set()
                    await step.let_go.wait()
                case Pending():
                    self._accepted[step.remote_id] = steps
                    return step
                case Done() | Rejected():
                    return step
                case Exception():
                    raise step
                case _:
                    assert_never(step)
        return rejected(ErrorClass.PROTOCOL, "the script is over")


class _Nobody:
    """Listens to no report."""

    def may_send(self) -> bool:
        return False

    async def __call__(self, progress: float, *, preview: Preview | None = None, text: str | None = None) -> bool:
        return True
