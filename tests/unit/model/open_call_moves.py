"""A worker goes on with a call that was made: looks for it, polls it, stops it, delivers its result."""

from __future__ import annotations

from tests.unit.model import transactions as tx
from tests.unit.model.policy import after_failure, by_policy
from tests.unit.model.rules import Rules
from tests.unit.model.steps import Moves
from tests.unit.model.world import World


def asking(rules: Rules, world: World, i: int) -> Moves:
    n = world.workers[i].call
    call = world.calls[n]
    if call.row != "unknown":
        yield f"sees that the call is {call.row} by now", world.with_worker(i, phase="claimed", call=-1)
    elif call.files:
        yield "finds the call's files in storage", world.with_worker(i, phase="stored")
    else:
        if call.taken and rules.policy == "reconcile":
            found = tx.record_remote_id(rules, world, n).with_worker(i, phase="polling")
            yield "provider's list has the call", found
        if rules.not_finding_a_call_proves_nothing:
            yield from by_policy(rules, world, i, n)
        else:
            forgotten = world.with_call(n, row="failed")
            yield "does not find the call and sends another", forgotten.with_worker(i, phase="claimed", call=-1)


def polling(rules: Rules, world: World, i: int) -> Moves:
    n, holds = world.workers[i].call, world.holds(i)
    yield "provider has the result", world.with_worker(i, phase="done")
    yield from after_failure(rules, world, i, "provider says that the call failed")
    if not holds:
        yield "finds that it lost the job", world.idle(i)
    elif world.cancel_asked:
        yield from cancel(rules, world, i, n)
    else:
        yield "drains and hands the job over", tx.hand_back(rules, world.idle(i))


def cancel(rules: Rules, world: World, i: int, n: int | None) -> Moves:
    free = world.idle(i)
    yield "honours the cancel flag", tx.end(rules, free, "canceled")
    if n is not None and world.calls[n].row == "accepted":
        stopped = free.with_call(n, row="failed")
        yield "stops the call at the provider and ends the job as canceled", tx.end(rules, stopped, "canceled")


def done(rules: Rules, world: World, i: int) -> Moves:
    n = world.workers[i].call
    if not rules.files_are_stored_before_the_finish:
        yield from stored(rules, world, i)
        return
    yield "stores the files", world.with_call(n, files=True).with_worker(i, phase="stored")
    if world.holds(i):
        closed = world.with_call(n, row="succeeded").idle(i)
        yield "cannot store the files and fails the job", tx.end(rules, closed, "failed")
    else:
        yield "cannot store the files", tx.record_succeeded(rules, world, n).idle(i)


def stored(rules: Rules, world: World, i: int) -> Moves:
    n = world.workers[i].call
    free = world.idle(i)
    if world.holds(i) or not rules.finishing_needs_the_lease:
        delivered = free.with_call(n, row="succeeded")._replace(delivered=world.calls[n].files)
        yield "finishes", tx.end(rules, delivered, "completed")
    else:
        yield "may not finish and records what it learnt", tx.record_succeeded(rules, free, n)
