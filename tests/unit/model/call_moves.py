"""A worker makes a call: from the recorded row to the answer, or to none."""

from __future__ import annotations

from tests.unit.model import transactions as tx
from tests.unit.model.policy import after_failure, by_policy
from tests.unit.model.rules import Rules
from tests.unit.model.steps import Moves
from tests.unit.model.world import World


def sending(rules: Rules, world: World, i: int) -> Moves:
    worker = world.workers[i]
    if not worker.lost:
        yield "checks its lease", world.with_worker(i, phase="posting")
    elif rules.lease_is_checked_before_the_first_byte:
        yield "sees its lease gone and sends nothing", tx.record_failed(world, worker.call).idle(i)
    else:
        yield "sends", world.with_worker(i, phase="posting")._replace(sent_without_lease=True)


def posting(rules: Rules, world: World, i: int) -> Moves:
    n = world.workers[i].call
    taken = world.with_call(n, taken=True)._replace(billed=world.billed + 1)
    yield "POSTs and the provider accepts", taken.with_worker(i, phase="waiting")
    yield "POSTs and the provider refuses", world.with_worker(i, phase="refused")
    yield "is cut off before the provider hears it", world.with_worker(i, phase="cut")


def answered(rules: Rules, world: World, i: int) -> Moves:
    yield "provider answers with a remote id", world.with_worker(i, phase="named")
    yield "provider answers with the result", world.with_worker(i, phase="done")
    yield "provider's answer is lost", world.with_worker(i, phase="cut")
    if world.holds(i) and world.cancel_asked:
        yield "sees the cancel flag and hangs up", world.with_worker(i, phase="cut")


def named(rules: Rules, world: World, i: int) -> Moves:
    n, holds = world.workers[i].call, world.holds(i)
    if holds or rules.answer_is_recorded_without_the_lease:
        told = tx.record_remote_id(rules, world, n)
        yield "records the remote id", told.with_worker(i, phase="polling") if holds else told.idle(i)
    else:
        lost_for_good = world.calls[n].row in ("none", "sending", "unknown")
        yield "drops the remote id with the job", world._replace(dropped=world.dropped or lost_for_good).idle(i)


def refused(rules: Rules, world: World, i: int) -> Moves:
    yield from after_failure(rules, world, i, "records the refusal")


def cut_off(rules: Rules, world: World, i: int) -> Moves:
    n = world.workers[i].call
    if not rules.only_proof_of_refusal_allows_another_call:
        wrong = world.with_call(n, row="failed").idle(i)
        yield "takes the silence for a refusal", tx.hand_back(rules, wrong) if world.holds(i) else wrong
        return
    told = tx.record_unknown(rules, world, n).idle(i)
    if not world.holds(i):
        yield "records the call as unknown", told
    elif world.cancel_asked:
        yield "records the call as unknown and ends the job as canceled", tx.end(rules, told, "canceled")
    elif told.calls[n].row == "unknown":
        yield from by_policy(rules, told, i, n)
    else:
        yield "finds that the call was named meanwhile", tx.hand_back(rules, told)
