"""What one worker may do next, by what it remembers. It may be frozen before every step, for as long as it likes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.unit.model import transactions as tx
from tests.unit.model.call_moves import answered, cut_off, named, posting, refused, sending
from tests.unit.model.open_call_moves import asking, cancel, done, polling, stored
from tests.unit.model.rules import Rules
from tests.unit.model.steps import NAMES, Moves, Step
from tests.unit.model.world import GONE, World


def worker_steps(rules: Rules, world: World, i: int) -> Iterator[Step]:
    worker = world.workers[i]
    for text, after in _MOVES[worker.phase](rules, world, i):
        if worker.lost:
            yield Step("zombie", f"zombie {NAMES[i]} {text}", after)
        elif text.startswith("provider"):
            yield Step("provider", f"{text} ({NAMES[i]})", after)
        else:
            yield Step("worker", f"{NAMES[i]} {text}", after)


def _idle(rules: Rules, world: World, i: int) -> Moves:
    if world.workers[i].lost:
        holder = GONE if world.holder == i else world.holder
        yield "registers under a new identity", world.with_worker(i, lost=False)._replace(holder=holder)
    elif world.status == "pending":
        yield "claims", tx.claim(rules, world, i)
        yield "claims and never hears that it did", tx.claim(rules, world, i).idle(i)


def _claimed(rules: Rules, world: World, i: int) -> Moves:
    n = world.open_call() if rules.open_call_is_resumed else None
    if world.cancel_asked:
        yield from cancel(rules, world, i, n)
    elif n is not None:
        row = world.calls[n].row
        yield f"finds a call {row}", world.with_worker(i, phase="polling" if row == "accepted" else "asking", call=n)
    elif world.replay and rules.replay_that_resumes_makes_no_call:
        yield "has nothing left to resume and fails the job", tx.end(rules, world.idle(i), "failed")
    else:
        yield "finds no open call", world.with_worker(i, phase="clear")


def _clear(rules: Rules, world: World, i: int) -> Moves:
    """It has looked; what it saw may be old by now."""
    if not rules.call_is_recorded_before_it_is_sent:
        yield "is about to send", tx.record_call(world, i, "none").with_worker(i, phase="posting")
    elif world.holds(i) or not rules.sending_needs_the_lease:
        yield "records a call as sending", tx.record_call(world, i, "sending").with_worker(i, phase="sending")
    else:
        yield "finds that it lost the job", world.idle(i)


_MOVES: dict[str, Callable[[Rules, World, int], Moves]] = {
    "idle": _idle,
    "claimed": _claimed,
    "clear": _clear,
    "sending": sending,
    "posting": posting,
    "waiting": answered,
    "named": named,
    "refused": refused,
    "cut": cut_off,
    "asking": asking,
    "polling": polling,
    "done": done,
    "stored": stored,
}
