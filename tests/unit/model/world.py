"""One job, its calls, two workers: what the database says, what the provider did, what each worker remembers."""

from __future__ import annotations

from typing import Literal, NamedTuple

LIVE = ("pending", "processing")
ENDED = ("completed", "failed", "canceled")
OPEN = ("sending", "accepted", "unknown")

GONE = -1
"""The holder of a job whose worker died: its identity never comes back."""

Phase = Literal[
    "idle",
    "claimed",  # holds a job, has not yet looked at its calls
    "clear",  # has looked and found no open call
    "sending",  # the call is recorded, no byte has left
    "posting",  # the lease was checked: the first byte leaves any moment
    "waiting",  # the provider has the request and accepted it
    "named",  # the answer came: it carries the remote id
    "refused",  # the answer came: provably not accepted
    "cut",  # no answer will come
    "asking",  # an earlier worker's call is unknown: look for it
    "polling",  # the call has a remote id
    "done",  # the result is in memory
    "stored",  # the files are in storage
]


class Call(NamedTuple):
    """A row of `calls` (`row`), and beside it the truth."""

    row: str = "sending"
    of: int = 0
    """0: of the job; 1: of the replay that resumes it."""
    taken: bool = False
    """The provider accepted it and will bill it."""
    files: bool = False
    """Its result is in storage."""
    given_up: bool = False
    watch_ended_as: str = ""
    """What was known of it when looking after it stopped."""

    @property
    def is_open(self) -> bool:
        return self.row in OPEN


class Worker(NamedTuple):
    """A process. If it dies, another starts in its place."""

    phase: Phase = "idle"
    fence: int = 0
    call: int = -1
    """Which call it is busy with."""
    lost: bool = False
    """A sweeper has declared it lost. It may be frozen, and go on later."""


class World(NamedTuple):
    status: str = "pending"
    fence: int = 0
    holder: int | None = None
    cancel_asked: bool = False
    gave_up_once: bool = False
    replay: int = 0
    settled: int = 0
    captured: bool = False
    delivered: bool = False
    charged: int = 0
    """How often the user paid for what is one call."""
    billed: int = 0
    """How many calls the provider accepted, those it reported as failed apart."""
    dropped: bool = False
    """A living process threw away a remote id that no row has."""
    sent_without_lease: bool = False
    calls: tuple[Call, ...] = ()
    workers: tuple[Worker, ...] = (Worker(), Worker())

    @property
    def live(self) -> bool:
        return self.status in LIVE

    def open_call(self) -> int | None:
        """The job's open call, calls given up apart."""
        return next((n for n, c in enumerate(self.calls) if c.of == self.replay and c.is_open and not c.given_up), None)

    def outlived_its_job(self, call: Call) -> bool:
        return call.of < self.replay or not self.live

    def holds(self, i: int) -> bool:
        """The lease: the row is still as worker `i` claimed it."""
        return self.status == "processing" and self.workers[i].fence == self.fence

    def with_worker(self, i: int, **changes: object) -> World:
        workers = list(self.workers)
        workers[i] = workers[i]._replace(**changes)
        return self._replace(workers=tuple(workers))

    def with_call(self, n: int, **changes: object) -> World:
        calls = list(self.calls)
        calls[n] = calls[n]._replace(**changes)
        return self._replace(calls=tuple(calls))

    def idle(self, i: int) -> World:
        """The worker lets go of whatever it remembers."""
        return self.with_worker(i, phase="idle", fence=0, call=-1)


def let_go(world: World) -> World:
    """Workers that lost their job, and can neither send nor learn anything of an open call, do no more with it.

    They are idle at once: what else they do changes nothing, and would multiply the worlds.
    """
    for i, worker in enumerate(world.workers):
        if worker.phase != "idle" and not world.holds(i) and _has_nothing_to_add(world, worker):
            world = world.idle(i)
    return world


def _has_nothing_to_add(world: World, worker: Worker) -> bool:
    over = worker.call >= 0 and not world.calls[worker.call].is_open
    return worker.phase in ("claimed", "asking") or (over and worker.phase not in ("sending", "posting"))


def key(world: World) -> World:
    """The same for worlds that only differ in names: fences count from the job's, workers have no order, what no longer
    matters of an ended job or a call in nobody's hands is forgotten. So there are finitely many, however often a job is
    claimed."""
    held = {w.call for w in world.workers}
    kept = [n for n, c in enumerate(world.calls) if n in held or c.is_open or _may_be_resumed(world, c)]
    rename = {n: at for at, n in enumerate(kept)} | {-1: -1}
    workers = [
        w if w.phase == "idle" else Worker(w.phase, max(w.fence - world.fence, -1), rename[w.call], w.lost)
        for w in world.workers
    ]
    order = sorted(range(len(workers)), key=lambda i: (workers[i], world.holder == i))
    holder = world.holder
    return world._replace(
        status="failed" if world.status == "canceled" else world.status,
        fence=0,
        holder=order.index(holder) if holder is not None and holder != GONE else holder,
        cancel_asked=world.cancel_asked and world.live,
        gave_up_once=world.gave_up_once and world.live,
        calls=tuple(_plain(world, world.calls[n]) for n in kept),
        workers=tuple(workers[i] for i in order),
    )


def _plain(world: World, call: Call) -> Call:
    if call.row == "failed":
        return Call("failed", call.of)
    if not (call.given_up or world.outlived_its_job(call)):
        return call
    watch = "unknown" if call.watch_ended_as == "sending" else call.watch_ended_as
    return call._replace(row="unknown" if call.row == "sending" else call.row, files=False, watch_ended_as=watch)


def _may_be_resumed(world: World, call: Call) -> bool:
    return call.row == "succeeded" and world.replay == 0
