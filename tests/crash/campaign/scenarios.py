"""The disasters. Each is played on a house with its server up and without a worker, and leaves it so.

`SCENARIOS` names them in the order of the scorecard. What each picks from stands in `matrix.py`.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from tests.crash.campaign import faults, other_requests
from tests.crash.campaign.crowd import crowd, lost_elsewhere, lost_here
from tests.crash.campaign.dice import Dice
from tests.crash.campaign.house import LEASE_S, RECONCILED_S, House
from tests.crash.campaign.matrix import (
    AFTER_A_LOSS,
    AFTERCARE,
    ANEW,
    AWAITS,
    CUT_OFF,
    FINDS_UNKNOWN,
    IN_AN_ATTEMPT,
    LEAVES,
    LEAVES_UNKNOWN,
    LEAVING,
    OPENING,
    PRUNE,
    SECOND_CALLS,
    SENT_AGAIN,
    SERVER,
    SWEEP,
    UNSTORED,
    WHERE_STOPPED,
)
from tests.crash.campaign.played import END_WITHIN_S, Played, acted, finish, lose, mixed, prompts
from tests.crash.campaign.to_sweep import TO_SWEEP, TO_SWEEP_BEFORE
from tests.crash.campaign.to_sweep import nothing as nothing_to_sweep

REACHED_WITHIN_S, PARKED_WITHIN_S = 8.0, 20.0
HELD_BY_ALL = """
UPDATE jobs SET status = 'processing', stage = 'starting', ready = false, waiting_for = NULL, due_at = NULL,
                worker_id = (SELECT id FROM workers WHERE role = 'worker' ORDER BY started_at DESC LIMIT 1),
                fence = fence + 1, attempt = attempt + 1, started_at = 1, claimed_at = 1
WHERE status = 'pending' AND ready AND kind <> 'batch'
"""
"""As after a claim whose worker never heard of it."""
USED_BY_NOBODY = """
INSERT INTO job_inputs (job, upload)
SELECT max(jobs.number) + 1000000, max(uploads.number) FROM jobs, uploads WHERE true
ON CONFLICT DO NOTHING
"""
"""As after a release that knows no inputs has removed a job."""
TOO_LATE = "answer=later seconds=14"
"""Of the words in a prompt the last ones count; its job has ten seconds."""
NEVER_FOUND = "listed_after=600"
UNTIL_IT_IS_CARED_FOR = {"end_call": "seconds=300", "look_again": NEVER_FOUND, "stop_looking": NEVER_FOUND}
"""What a call must be like, that nobody answered, for whoever looks after it to come by that use case."""
CUT = ("cut_after", "cut_midway")
CLOCK_SLACK_S = 2.0
BUGS = [*(point for point in IN_AN_ATTEMPT if point in AWAITS), "sending.before_commit", "finish.before_commit"]
Scenario = Callable[[House, Dice], Played]
Trouble = Callable[[], AbstractContextManager[None]]


def killed(house: House, dice: Dice) -> Played:
    """kill -9 at a commit or an await, else at any moment; another worker is there already or comes later."""
    return _crashed(house, dice, dice.in_turn(IN_AN_ATTEMPT), "kill")


def frozen(house: House, dice: Dice) -> Played:
    """SIGSTOP at a commit or an await for two leases, then SIGCONT: it wakes up among its successors.

    Some die then, where they write down what they learnt of jobs that others have by now.
    """
    point = dice.in_turn(IN_AN_ATTEMPT)
    after = f",{dice.choice(AFTER_A_LOSS)}=kill" if dice.random() < 0.3 else ""
    nth, doomed_to_fail = _nth(dice), []
    if point == "Closing.record._surely":  # where only a loser comes, and only if it hears of a failure
        point, nth, after = "LiveCall._poll_until_answered.wait", 1, f",{point}=kill"
        doomed_to_fail = prompts(dice, 4, kinds=["fails"])
    played = Played(house.submit([*doomed_to_fail, *mixed(dice, 6)]))
    doomed = house.begin_worker(f"{point}:{nth}=stop{after}")
    if not acted(doomed, played, _a_moment(dice)):
        doomed.freeze()
    played.losses.append(time.time())
    other = house.begin_worker()
    time.sleep(2 * LEASE_S)
    doomed.send(signal.SIGCONT)
    played.ids += house.submit(prompts(dice, 2))
    finish(house, played, doomed, other)
    acted(doomed, played, 0.0)
    return played


def killed_when_idempotent(house: House, dice: Dice) -> Played:
    """As `killed twice`, with a provider that makes each of our calls once: every job completes, and is billed once."""
    played = Played(house.submit(prompts(dice, 6)), all_complete=True)
    for point in (dice.choice(LEAVES_UNKNOWN), dice.in_turn(SENT_AGAIN)):
        doomed = house.begin_worker(f"{point}=kill")
        acted(doomed, played, REACHED_WITHIN_S)
        lose(doomed, played)
    return finish(house, played, house.worker())


def killed_twice(house: House, dice: Dice) -> Played:
    """A worker dies with calls of which nobody knows, and the next one while it looks for them."""
    played = Played(house.submit(mixed(dice, 6)))
    finds = dice.in_turn(FINDS_UNKNOWN)
    for point in (LEAVES.get(finds) or dice.choice(LEAVES_UNKNOWN), finds):
        doomed = house.begin_worker(f"{point}=kill")
        acted(doomed, played, REACHED_WITHIN_S)
        lose(doomed, played)
    return finish(house, played, house.worker())


def zombie(house: House, dice: Dice) -> Played:
    """A worker stops while it stores; its successor resumes the call and finishes; then the first one stores."""
    played = Played(house.submit(prompts(dice, 3, kinds=["later"])), all_complete=True)
    place = dice.in_turn(["Delivery._keep.put_file", "Delivery._finish.to_thread", "Closing._write._surely"])
    doomed = house.begin_worker(f"{place}=stop")
    acted(doomed, played, REACHED_WITHIN_S)
    doomed.freeze()  # elsewhere, should it hold the lock of SQLite: then nobody could go on
    played.losses.append(time.time())
    other = house.worker()
    house.until_ended(played.ids, 15)
    doomed.send(signal.SIGCONT)
    return finish(house, played, doomed, other)


def bug(house: House, dice: Dice) -> Played:
    """Any await of an attempt, or any use case, raises what nobody expects."""
    return _crashed(house, dice, dice.in_turn(BUGS), "raise")


def claim_canceled(house: House, dice: Dice) -> Played:
    """SIGTERM in the middle of a claim: what was claimed is run or handed back, also if it dies while it leaves."""
    played = Played(all_complete=True)
    played.ids = house.submit(prompts(dice, 5))
    pause = f"claim.{dice.choice(['before', 'after'])}_commit=pause1"
    doomed = house.begin_worker(f"{pause},{dice.in_turn(LEAVING)}=kill" if dice.random() < 0.5 else pause)
    acted(doomed, played, REACHED_WITHIN_S)
    doomed.send(signal.SIGTERM)
    other = house.worker()
    doomed.wait()
    acted(doomed, played, 0.0)
    return finish(house, played, other)


def sweeper_killed(house: House, dice: Dice) -> Played:
    """The only process that sweeps dies while it takes over the jobs of one that died before."""
    played = Played()
    victim = house.worker()
    played.ids = house.submit(prompts(dice, 5))
    victim.says("job.started", within_s=REACHED_WITHIN_S)
    lose(victim, played)
    late = house.submit(prompts(dice, 1))
    house.change(f"UPDATE jobs SET deadline_at = {time.time()} WHERE id = '{late[0]}'")  # noqa: S608 - our id
    played.ids += late + house.submit(prompts(dice, 1))
    played.may_expire = 1
    point = dice.in_turn(SWEEP)
    use_case = point.partition(".")[0]
    TO_SWEEP_BEFORE.get(use_case, nothing_to_sweep)(house, played.ids[-1])
    house.stop_server()
    TO_SWEEP.get(use_case, nothing_to_sweep)(house, played.ids[-1])
    heirs = house.begin_server if use_case in TO_SWEEP else house.begin_worker  # a worker would take those jobs first
    heir = heirs(f"{point}=kill")
    acted(heir, played, REACHED_WITHIN_S)
    lose(heir, played)
    house.serve()
    return finish(house, played, house.worker())


def server_killed(house: House, dice: Dice) -> Played:
    """The API dies around a commit; its client, who may have heard nothing, asks again under the same key."""
    point = dice.in_turn(SERVER)
    played = Played()
    asked = {f"key-{dice.getrandbits(48):012x}": prompt for prompt in prompts(dice, 4)}
    server = house.begin_server(f"{point}:{dice.randint(1, 4) if point.startswith('submit.') else 1}=kill")
    for key, prompt in asked.items():
        house.try_to(partial(house.submit_one, prompt, key))
    also = other_requests.TO_MEET.get(point.partition(".")[0], other_requests.nothing)
    house.try_to(partial(also, house, f"once-{point}-{min(asked)}"))
    acted(server, played, 0.5)
    house.serve()
    played.ids = [house.submit_one(prompt, key) for key, prompt in asked.items()]
    also(house, f"once-{point}-{min(asked)}")
    kept = house.rows(f"SELECT job_id FROM idempotency_keys WHERE key IN ({', '.join(map(repr, asked))})")  # noqa: S608 - ours
    if sorted(row["job_id"] for row in kept) != sorted(set(played.ids)) or len(kept) != len(asked):
        played.complaints.append("a key that was used twice has made two jobs, or none")
    return finish(house, played, house.worker())


def prune_killed(house: House, dice: Dice) -> Played:
    """`safelight prune` dies between marking jobs, deleting their files and their rows; the next ends it."""
    old, worker = house.submit(prompts(dice, 3, kinds=["now"])), house.worker()
    old.append(house.submit_one(prompts(dice, 1, kinds=["now"])[0], f"old-{dice.getrandbits(32):08x}"))
    house.change("UPDATE idempotency_keys SET created_at = 1")
    house.upload(dice.randrange(256))
    house.change("UPDATE uploads SET expires_at = 0")
    house.change(USED_BY_NOBODY)
    house.until_ended(old, END_WITHIN_S)
    house.close_workers(worker)
    house.billed_before = len(house.provider.billed())
    played = Played(house.submit(prompts(dice, 2)), all_complete=True)
    files = [house.folder / "data" / "assets" / row["key"] for row in house.rows("SELECT key FROM assets")]
    doomed = house.command("prune", "--older-than", "0s", crash=f"{dice.in_turn(PRUNE)}=kill")
    acted(doomed, played, REACHED_WITHIN_S)
    doomed.wait()
    if house.command("prune", "--older-than", "0s").wait() != 0 or house.jobs(old):
        played.complaints.append("jobs that were to be pruned are still there")
    played.complaints += [f"pruned, but {path} is there" for path in files if path.exists()]
    return finish(house, played, house.worker())


def row_deleted(house: House, dice: Dice) -> Played:
    """The row of a busy worker is deleted, or it gets jobs it knows nothing of: every job is done once."""
    played = Played()
    point = dice.in_turn(ANEW)
    unheard = point.startswith("take_unrun") or dice.random() < 0.4
    armed = dice.random() < 0.7
    worker = house.begin_worker(f"{point}=kill" if armed else None)
    worker.says("worker.started")
    played.ids = house.submit(prompts(dice, 6))
    worker.says("job.started", count=2, within_s=REACHED_WITHIN_S)
    house.change(HELD_BY_ALL if unheard else "DELETE FROM workers WHERE role = 'worker'")
    played.losses.append(time.time())
    acted(worker, played, REACHED_WITHIN_S if armed else 0.0)
    return finish(house, played, worker, house.worker())


def gate_opens(house: House, dice: Dice) -> Played:
    """The provider can be called again: a worker dies while it lets in the jobs that waited for it."""
    played = Played(all_complete=True)
    faults.gate_shut(house)
    doomed = house.begin_worker(f"{dice.in_turn(OPENING)}=kill")
    doomed.says("worker.started")
    played.ids = house.submit(prompts(dice, 4))
    if not house.until(
        lambda: all(job["waiting_for"] for job in house.jobs(played.ids, "waiting_for")), PARKED_WITHIN_S
    ):
        played.complaints.append("jobs did not wait for their provider's gate")
    faults.gate_opened(house)
    acted(doomed, played, REACHED_WITHIN_S)
    lose(doomed, played)
    return finish(house, played, house.worker())


def provider_cuts(house: House, dice: Dice) -> Played:
    """The provider answers and cuts the connection, or accepts and cuts it, or talks nonsense.

    What works stands between what does not: after five failures in a row its gate would keep the others waiting.
    """
    played = Played()
    worker = house.worker()
    kinds = ["cut_before", "cut_after", "now", "cut_midway", "garbage", "later", "error", "now", "broken"]
    played.ids = house.submit([prompt for kind in kinds for prompt in prompts(dice, 1, kinds=[kind])])
    played.ids += house.submit([f"{prompt} listed_after={RECONCILED_S / 2}" for prompt in prompts(dice, 1, kinds=CUT)])
    return finish(house, played, worker)


def retried_once(house: House, dice: Dice) -> Played:
    """The operator accepts to pay twice for a call of which nobody knows; a worker dies meanwhile. Never thrice."""
    hidden = [f"{prompt} listed_after=600" for prompt in prompts(dice, 3, kinds=[*CUT, "garbage"])]
    played = Played(house.submit(hidden))
    doomed = house.begin_worker(f"{dice.in_turn(SECOND_CALLS)}=kill")
    acted(doomed, played, REACHED_WITHIN_S)
    lose(doomed, played)
    return finish(house, played, house.worker())


def provider_silent(house: House, dice: Dice) -> Played:
    """The provider accepts and never says anything, or delivers too late; some of its workers are killed meanwhile."""
    played = Played(may_expire=4)
    cut_off = dice.random() < 0.4
    silent = house.begin_worker(f"{dice.in_turn(CUT_OFF)}=kill" if cut_off else None)
    silent.says("worker.started")
    care = dice.in_turn(AFTERCARE)
    also = UNTIL_IT_IS_CARED_FOR.get(care.partition(".")[0], "")
    hushed = [f"{prompt} {also}" for prompt in prompts(dice, 3, kinds=["silent"])]
    played.ids = house.submit([*hushed, f"{prompts(dice, 1)[0]} {TOO_LATE}"])
    silent.says("job.started", count=3, within_s=REACHED_WITHIN_S)
    if not cut_off and dice.random() < 0.5:
        lose(silent, played)
    careful = house.begin_worker(f"{care}=kill")
    played.ids += house.submit(prompts(dice, 2))
    house.until_ended(played.ids, END_WITHIN_S)
    acted(silent, played, REACHED_WITHIN_S if cut_off else 0.0)
    if care.startswith("stop_looking") or dice.random() < 0.3:  # as if a day had gone by
        house.change("UPDATE calls SET sending_at = 1, check_at = 1 WHERE check_at IS NOT NULL")
    if acted(careful, played, REACHED_WITHIN_S):
        played.may_expire += 2  # it may have had the others, too
    return finish(house, played, silent, careful, house.worker())


def storage_fails(house: House, dice: Dice) -> Played:
    """Nothing can be stored for a while; a worker may die meanwhile."""
    played = Played()
    worker = house.begin_worker(f"{dice.in_turn(UNSTORED)}=kill" if dice.random() < 0.8 else None)
    worker.says("worker.started")
    played.ids = house.submit(prompts(dice, 4))
    with faults.storage_broken(house):
        worker.says("job.started", count=3, within_s=REACHED_WITHIN_S)
        acted(worker, played, dice.uniform(1.0, 3.0))
        if dice.random() < 0.5:
            lose(worker, played)
    return finish(house, played, worker, house.worker())


def queue_paused(house: House, dice: Dice) -> Played:
    """The queue is paused and the worker killed: accepted calls are resumed all the same, new jobs wait."""
    played = Played(all_complete=True)
    doomed = house.worker()
    accepted = house.submit([f"{prompt} later" for prompt in prompts(dice, 3, kinds=["later"])])
    house.until(lambda: house.accepted(accepted) == len(accepted), REACHED_WITHIN_S)
    house.change("UPDATE queues SET paused_at = 1")
    lose(doomed, played)
    waiting = house.submit(prompts(dice, 2))
    other = house.worker()
    if not house.until_ended(accepted, 20):
        played.complaints.append("an accepted call was not resumed while its queue was paused")
    if any(job["attempt"] for job in house.jobs(waiting)):
        played.complaints.append("a job of a paused queue was started")
    house.change("UPDATE queues SET paused_at = NULL")
    played.ids = accepted + waiting
    return finish(house, played, other)


def database_locked(house: House, dice: Dice) -> Played:
    """SQLite: another program holds the write lock with calls in flight."""
    return _undisturbed(house, dice, lambda: faults.locked(house), house.outage_s)


def writer_saturated(house: House, dice: Dice) -> Played:
    """SQLite: a second process writes all the time; no beat may starve."""
    played = _undisturbed(house, dice, lambda: faults.flooded(house), 2 * LEASE_S)
    played.outage_s = 0.0
    return played


def database_away(house: House, dice: Dice) -> Played:
    """Postgres is restarted and away for long with calls in flight: every answer is kept."""
    return _undisturbed(house, dice, lambda: faults.away(house), house.outage_s)


def clocks_jump(house: House, dice: Dice) -> Played:
    """The wall clock of every process and of the database is set, forward by leases or back by an hour."""
    assert house.clock is not None
    played = Played(all_complete=True)
    worker = house.worker()
    played.ids = house.submit(prompts(dice, 4))
    worker.says("job.started", count=2, within_s=REACHED_WITHIN_S)
    lost_before = len(house.rows("SELECT job FROM events WHERE type = 'job.requeued'"))
    for jump_s in dice.sample([3 * LEASE_S, -3600.0, 2 * LEASE_S, -5.0], 2):
        house.clock.jump(jump_s)
        time.sleep(LEASE_S / 2)
    played.ids += house.submit(prompts(dice, 1))
    told_s = house.jobs(played.ids[-1:])[0]["created_at"] - time.time()
    if abs(told_s - house.clock.off_by_s) > CLOCK_SLACK_S:
        played.complaints.append(f"the clocks were to be off by {house.clock.off_by_s} s, and are by {told_s:.0f}")
    finish(house, played, worker)
    if len(house.rows("SELECT job FROM events WHERE type = 'job.requeued'")) > lost_before:
        played.complaints.append("a worker that lived was taken for lost because a clock was set")
    return played


SCENARIOS: dict[str, Scenario] = {
    "4 workers, 2,000 jobs": crowd,
    "lost, same host": lost_here,
    "lost, another host": lost_elsewhere,
    "killed at a point": killed,
    "frozen for two leases": frozen,
    "killed twice": killed_twice,
    "idempotent provider": killed_when_idempotent,
    "zombie stores late": zombie,
    "bug at a point": bug,
    "claim canceled": claim_canceled,
    "sweeper killed": sweeper_killed,
    "API killed, retried": server_killed,
    "prune killed": prune_killed,
    "worker row deleted": row_deleted,
    "gate opens": gate_opens,
    "provider cuts, babbles": provider_cuts,
    "provider silent": provider_silent,
    "unknown: retry once": retried_once,
    "storage fails": storage_fails,
    "paused and restarted": queue_paused,
    "all clocks jump": clocks_jump,
    "database away": database_away,
    "database locked": database_locked,
    "writer saturated": writer_saturated,
}
LONG = frozenset({"4 workers, 2,000 jobs", "lost, same host", "lost, another host"})
"""Those take minutes: the long form plays each once."""
ONLY_ON = {"database away": "postgres", "database locked": "sqlite", "writer saturated": "sqlite"}


def _crashed(house: House, dice: Dice, point: str, action: str) -> Played:
    played, beside = Played(house.submit(mixed(dice, 6))), dice.random() < 0.5
    stopped = house.submit(prompts(dice, 2, kinds=["slow"])) if point in WHERE_STOPPED else []
    played.ids += stopped
    workers = [house.begin_worker(f"{point}:{_nth(dice)}={action}")]
    if beside:
        workers.append(house.begin_worker())
    if stopped and house.until(lambda: house.accepted(stopped) == len(stopped), REACHED_WITHIN_S):
        for job_id in stopped:
            house.ask(f"/api/jobs/{job_id}/cancel")
    if not acted(workers[0], played, _a_moment(dice)) or action == "kill":
        lose(workers[0], played)
    if not beside:
        workers.append(house.begin_worker())
    return finish(house, played, *workers)


def _nth(dice: Dice) -> int:
    return dice.choice([1, 1, 1, 2, 3])


def _a_moment(dice: Dice) -> float:
    """How long a point is waited for, from when the worker is ready: after that any moment is a good one to die."""
    return dice.uniform(1.0, 5.0)


def _undisturbed(house: House, dice: Dice, trouble: Trouble, lasts_s: float) -> Played:
    """Calls are in flight when the trouble begins; it takes no worker, so every job must complete."""
    played = Played(all_complete=True, outage_s=lasts_s)
    worker = house.worker()
    played.ids = house.submit(prompts(dice, 4))
    worker.says("job.started", count=2, within_s=REACHED_WITHIN_S)
    with trouble():
        time.sleep(lasts_s)
    return finish(house, played, worker)
