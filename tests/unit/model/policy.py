"""What the holder of a job does about a call that failed, or of which nobody knows."""

from __future__ import annotations

from tests.unit.model import transactions as tx
from tests.unit.model.rules import Rules
from tests.unit.model.steps import Moves
from tests.unit.model.world import World


def after_failure(rules: Rules, world: World, i: int, text: str) -> Moves:
    told = tx.record_failed(world, world.workers[i].call).idle(i)
    if world.holds(i):
        yield f"{text}; the job waits for another try", tx.hand_back(rules, told)
        yield f"{text}; the job fails", tx.end(rules, told, "failed")
    else:
        yield text, told


def by_policy(rules: Rules, world: World, i: int, n: int) -> Moves:
    """The holder knows that call `n` is unknown, and lets go of the job either way."""
    free = world.idle(i)
    once = rules.second_call_is_made_once and world.gave_up_once
    if rules.policy == "reconcile":
        yield "gives the job back, to look for the call later", tx.hand_back(rules, free)
        yield "has looked long enough and fails the job", tx.end(rules, free, "failed")
    elif rules.policy == "retry_once" and not once:
        given_up = free.with_call(n, given_up=True)._replace(gave_up_once=True)
        yield "gives up the unknown call for another", tx.hand_back(rules, given_up)
    else:
        yield "fails the job: the call is unknown", tx.end(rules, free, "failed")
