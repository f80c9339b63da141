"""Everything that may happen next: two workers, the sweep, the user, the provider by itself, death and frost."""

from __future__ import annotations

from collections.abc import Iterator

from tests.unit.model import transactions as tx
from tests.unit.model.rules import Rules
from tests.unit.model.steps import NAMES, Step
from tests.unit.model.worker_moves import worker_steps
from tests.unit.model.world import ENDED, GONE, Worker, World, let_go


def steps(rules: Rules, world: World) -> Iterator[Step]:
    for by, text, after in _steps(rules, world):
        yield Step(by, text, let_go(after))


def _steps(rules: Rules, world: World) -> Iterator[Step]:
    for i, worker in enumerate(world.workers):
        yield from worker_steps(rules, world, i)
        if worker.phase != "idle":
            yield from _fate(world, i)
    yield from _sweep(rules, world)
    yield from _user(rules, world)
    yield from _provider(rules, world)
    if rules.calls_of_ended_jobs_are_looked_after:
        yield from _care(rules, world)


def _fate(world: World, i: int) -> Iterator[Step]:
    """A process dies with all it remembers; or it is frozen for so long that it is declared lost, and may go on."""
    holder = GONE if world.holder == i else world.holder
    reborn = tuple(Worker() if at == i else worker for at, worker in enumerate(world.workers))
    yield Step("fate", f"{NAMES[i]} dies", world._replace(holder=holder, workers=reborn))
    if not world.workers[i].lost and (world.holds(i) or world.workers[i].phase == "sending"):
        yield Step("fate", f"{NAMES[i]} freezes and is declared lost", world.with_worker(i, lost=True))


def _sweep(rules: Rules, world: World) -> Iterator[Step]:
    if world.status == "processing":
        yield from _take_back(rules, world)
    if not world.live:
        return
    if rules.deadline_ends_every_job:
        yield Step("deadline", "its deadline comes", tx.end(rules, world, "failed"))
    if world.cancel_asked and rules.sweep_ends_unheeded_cancels:
        yield Step("sweep", "the sweep ends the canceled job", tx.end(rules, world, "canceled"))


def _take_back(rules: Rules, world: World) -> Iterator[Step]:
    holder = world.holder
    if holder is None:
        return
    worker = None if holder == GONE else world.workers[holder]
    if worker is None or worker.lost:
        if rules.sweep_takes_from_the_lost:
            yield Step("sweep", "the sweep takes the job back", tx.take_back(rules, world))
    elif (worker.phase == "idle" or worker.fence != world.fence) and rules.worker_gives_back_what_it_does_not_run:
        yield Step("worker", f"{NAMES[holder]} gives back what it does not run", tx.take_back(rules, world))


def _user(rules: Rules, world: World) -> Iterator[Step]:
    if world.live and not world.cancel_asked:
        yield Step("user", "the user cancels", tx.cancel(rules, world))
    if rules.user_replays and world.status in ENDED and world.replay == 0:
        for n, call in enumerate(world.calls):
            if call.taken and call.row in ("accepted", "succeeded"):
                yield Step("user", "the user replays it, to resume its call", tx.resume_by_replay(rules, world, n))


def _provider(rules: Rules, world: World) -> Iterator[Step]:
    for n, call in enumerate(world.calls):
        if not call.taken or call.row not in ("sending", "unknown"):
            continue
        told = tx.record_remote_id(rules, world, n)
        yield Step("provider", "the provider's webhook names the call", told)
        if not rules.webhook_ends_no_job and world.live:
            yield Step("provider", "the provider's webhook completes the job", tx.end(rules, told, "completed"))


def _care(rules: Rules, world: World) -> Iterator[Step]:
    """Calls that outlived their job. It is never settled again."""
    for n, call in enumerate(world.calls):
        if not world.outlived_its_job(call) or not call.is_open or call.watch_ended_as:
            continue
        ended = world.with_call(n, watch_ended_as=call.row)
        yield Step("care", "whoever looks after the call has waited long enough", ended)
        if call.taken and call.row == "accepted":
            closed = tx.record_succeeded(rules, world, n)
            yield Step("provider", "the result of the call is kept as a recovered asset", closed)
            yield Step("provider", "the provider says that the call failed", tx.record_failed(world, n))
        elif call.taken:
            named = tx.record_remote_id(rules, world, n)
            yield Step("provider", "whoever looks after the call finds it in the provider's list", named)
