"""What is bad: of a world as it is, of a step, and of what can no longer come."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.unit.model.rules import Rules
from tests.unit.model.steps import Step
from tests.unit.model.world import ENDED, World

PAID_TWICE = "the provider accepted more calls than the policy allows"
SETTLED_TWICE = "the job was settled twice"
NOT_DELIVERED = "credits were captured without a delivery"
CHARGED_TWICE = "the user paid twice for one call"
TWO_OPEN_CALLS = "the job has two open calls"
DROPPED = "a remote id was learnt and dropped"
SENT_WITHOUT_LEASE = "a worker that was declared lost began to send"
LEFT_ITS_END = "the job left a terminal state"
OLD_FENCE = "the job moved and its fence did not grow"
STUCK = "the job is stuck: nothing that is sure to happen ends it"
ONLY_DEADLINE = "the job waits for nothing but its deadline"
UNHEEDED = "a cancel is not honoured before the deadline"
FORGOTTEN_CALL = "an ended job left an open call that nobody looks after"


def broken_in(rules: Rules, world: World) -> Iterator[str]:
    if world.billed > _allowed(rules):
        yield PAID_TWICE
    if world.settled > 1:
        yield SETTLED_TWICE
    if world.captured and not world.delivered:
        yield NOT_DELIVERED
    if world.charged > 1:
        yield CHARGED_TWICE
    if _open_calls(world) > 1:
        yield TWO_OPEN_CALLS
    if world.dropped:
        yield DROPPED
    if world.sent_without_lease:
        yield SENT_WITHOUT_LEASE
    if any(call.row == "accepted" and call.watch_ended_as in ("sending", "unknown") for call in world.calls):
        yield FORGOTTEN_CALL


def broken_by(before: World, step: Step) -> Iterator[str]:
    after = step.world
    if before.replay != after.replay:  # another job
        return
    if before.status in ENDED and after.status != before.status:
        yield LEFT_ITS_END
    if before.status != after.status and after.fence <= before.fence:
        yield OLD_FENCE


def is_past_hope(rules: Rules, world: World) -> bool:
    """Nothing is to be learnt from what comes after it, and it might go on for ever."""
    return world.billed > _allowed(rules) or world.settled > 1 or world.charged > 1 or _open_calls(world) > 1


def _lives(world: World) -> bool:
    return world.live


def _is_canceled(world: World) -> bool:
    return world.live and world.cancel_asked


def _has_call_to_look_after(world: World) -> bool:
    return any(call.is_open and world.outlived_its_job(call) and not call.watch_ended_as for call in world.calls)


SURE = frozenset({"worker", "sweep", "care"})
"""What Safelight brings about by itself. A process that died is replaced; one that is frozen need not go on."""

IN_THE_END: tuple[tuple[str, Callable[[World], bool], frozenset[str]], ...] = (
    (STUCK, _lives, SURE | {"deadline"}),
    (ONLY_DEADLINE, _lives, SURE | {"provider", "zombie", "fate"}),
    (UNHEEDED, _is_canceled, SURE),
    (FORGOTTEN_CALL, _has_call_to_look_after, SURE),
)
"""A promise is broken by a world of this sort from which the steps of these lead to no world of another sort."""


def _allowed(rules: Rules) -> int:
    return 2 if rules.policy == "retry_once" else 1


def _open_calls(world: World) -> int:
    return sum(call.is_open and not call.given_up and call.of == world.replay for call in world.calls)
