"""What one transaction makes of the world, under the rules. Whoever calls has checked its guard."""

from __future__ import annotations

from tests.unit.model.rules import Rules
from tests.unit.model.world import Call, World


def claim(rules: Rules, world: World, i: int) -> World:
    taken = world._replace(status="processing", fence=_next_fence(rules, world), holder=i)
    return taken.with_worker(i, phase="claimed", fence=taken.fence)


def end(rules: Rules, world: World, status: str) -> World:
    """Ends and settles the job: a capture if it is completed, else the hold is released."""
    captured = status == "completed"
    free = bool(world.replay and world.charged and rules.captured_job_is_resumed_for_free)
    return world._replace(
        status=status,
        fence=_next_fence(rules, world),
        holder=None,
        settled=world.settled + 1,
        captured=captured,
        charged=world.charged + (captured and not free),
    )


def hand_back(rules: Rules, world: World) -> World:
    if world.cancel_asked and world.open_call() is None and rules.flag_is_honoured_when_handed_back:
        return end(rules, world, "canceled")
    return world._replace(status="pending", fence=_next_fence(rules, world), holder=None)


def take_back(rules: Rules, world: World) -> World:
    """From a worker that is lost, or does not run it."""
    n = world.open_call()
    if n is not None and world.calls[n].row == "sending":
        world = world.with_call(n, row="unknown" if rules.sweep_makes_sending_unknown else "failed")
    return hand_back(rules, world)


def cancel(rules: Rules, world: World) -> World:
    waits = rules.cancel_waits_for_an_open_call and world.open_call() is not None
    flagged = world._replace(cancel_asked=True)
    if world.status == "pending" and not waits:
        return end(rules, flagged, "canceled")
    return flagged if rules.cancel_flag_keeps_the_fence else flagged._replace(fence=world.fence + 1)


def resume_by_replay(rules: Rules, world: World, n: int) -> World:
    """A new job that polls the remote id of an ended one's call `n`; its row is a new one."""
    return world._replace(
        status="pending",
        fence=world.fence + 1,
        cancel_asked=False,
        replay=1,
        settled=0,
        captured=False,
        delivered=False,
        calls=(*world.calls, Call("accepted", of=1, taken=True)),
    )


def record_call(world: World, i: int, row: str) -> World:
    """A new row for the call that worker `i` is about to make."""
    calls = (*world.calls, Call(row, of=world.replay))
    return world._replace(calls=calls).with_worker(i, call=len(calls) - 1)


def record_remote_id(rules: Rules, world: World, n: int) -> World:
    """Guarded by the call's state. Of a call that outlived its job somebody must hear again."""
    call = world.calls[n]
    if call.row not in ("none", "sending", "unknown"):
        return world
    watch = "" if rules.late_news_is_looked_at_again else call.watch_ended_as
    return world.with_call(n, row="accepted", watch_ended_as=watch)


def record_unknown(rules: Rules, world: World, n: int) -> World:
    """No answer will come."""
    call = world.calls[n]
    if call.row in ("none", "sending"):
        return world.with_call(n, row="unknown")
    if call.row == "accepted" and not rules.unknown_never_overwrites_a_remote_id:
        return world.with_call(n, row="unknown")._replace(dropped=True)
    return world


def record_failed(world: World, n: int) -> World:
    """The provider refused it, or says that it failed: it bills nothing."""
    call = world.calls[n]
    if not call.is_open:
        return world
    billed = world.billed - (call.taken and call.of == 0)
    return world.with_call(n, row="failed", taken=False)._replace(billed=billed)


def record_succeeded(rules: Rules, world: World, n: int) -> World:
    """By somebody who does not hold the job."""
    call = world.calls[n]
    lives = not world.outlived_its_job(call) and not call.given_up
    if not call.is_open or (lives and rules.success_closes_a_call_only_with_its_job):
        return world
    return world.with_call(n, row="succeeded")


def _next_fence(rules: Rules, world: World) -> int:
    return world.fence + (1 if rules.every_move_raises_the_fence else 0)
