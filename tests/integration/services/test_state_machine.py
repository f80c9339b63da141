"""Any interleaving of submit, claim, work, loss, cancel and sweep, beside a model that fits on one page.

Every step is checked against the model, and after every step: nothing left a terminal state, fences and sequences only
grew, no job has two open calls, every ended job was settled once, the books balance.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from safelight.domain.jobs import ALLOWED, LIVE, TERMINAL, Status
from safelight.domain.retry import MAX_LOST
from safelight.services import calls, presence, sweep
from safelight.services.calls import CallOutcome, Sending
from safelight.services.cancel import cancel
from safelight.services.claim import claim
from safelight.services.claimable import ClaimedJob
from safelight.services.finish import Ending, finish
from safelight.services.hand_back import Return, hand_back
from safelight.services.progress import Step, progress
from safelight.services.submission import Submitted
from safelight.services.submit import submit
from safelight.store.connect import open_database
from safelight.store.database import Database
from safelight.testing.books import assert_books_balance
from tests.integration.services.scene import all_jobs, an_asset, calls_of, hire, scene, told, turn_back, wish

OPEN = ("sending", "accepted", "unknown")


@dataclass
class Job:
    """What the model knows of one job."""

    user: str
    price: int
    status: str = "pending"
    fence: int = 0
    worker: str | None = None
    wanted: bool = True
    ready: bool = True
    resumes: bool = False
    lost_n: int = 0
    attempt: int = 0
    call: str | None = None
    """The open call's id."""
    repeatable: bool = True
    call_state: str = ""

    def end(self, status: str) -> None:
        self.status, self.worker, self.ready, self.resumes = status, None, False, False
        self.fence += 1
        if self.call and self.repeatable and self.call_state == "sending":
            self.call = None

    def wait(self, *, ready: bool, call_open: bool) -> None:
        """Back to pending, unless nobody wants it any more."""
        if not self.wanted and not call_open:
            self.end("canceled")
            return
        self.status, self.worker, self.fence = "pending", None, self.fence + 1
        self.ready, self.resumes = ready and not call_open, call_open

    @property
    def waits_for_its_time(self) -> bool:
        return self.status == "pending" and not (self.ready or self.resumes)

    def holds(self, lease: ClaimedJob) -> bool:
        return self.status == "processing" and self.fence == lease.fence


@dataclass
class Seen:
    """What a job's row said after the step before."""

    status: str
    fence: int
    sequence: int


@dataclass
class World:
    jobs: dict[str, Job] = field(default_factory=dict)
    funds: dict[str, int] = field(default_factory=lambda: {"ann": 60, "bob": 60})
    workers: dict[str, bool] = field(default_factory=dict)
    """Whether each is live."""

    def held(self, user: str) -> int:
        return sum(job.price for job in self.jobs.values() if job.user == user and job.status in LIVE)


class LivesOfJobs(RuleBasedStateMachine):
    """One example is one transaction, rolled back at its end."""

    leases = Bundle("leases")
    names = Bundle("names")
    workers = Bundle("workers")

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._stage = ExitStack()
        self.tx = self._stage.enter_context(scene(database, users=("ann", "bob"), credits=60, workers=()))
        self.world, self.seen, self.ids = World(), dict[int, Seen](), count(1)

    def teardown(self) -> None:
        self._stage.close()

    @initialize(target=workers)
    def two_workers(self) -> Any:
        return multiple(self.a_worker_comes(), self.a_worker_comes())

    @rule(target=workers)
    def a_worker_comes(self) -> str:
        name = f"w{next(self.ids)}"
        hire(self.tx, name)
        self.world.workers[name] = True
        return name

    @rule(target=names, user=st.sampled_from(["ann", "bob"]), price=st.integers(0, 40), priority=st.integers(-1, 1))
    def a_user_submits(self, user: str, price: int, priority: int) -> Any:
        name = f"j{next(self.ids)}"
        covered = self.world.funds[user] - self.world.held(user) >= price
        (answer,) = submit(self.tx, [wish(name, user, price=price, priority=priority, outputs=2)])
        assert isinstance(answer, Submitted) == covered
        if not covered:
            return multiple()
        self.world.jobs[name] = Job(user, price)
        return name

    @rule(target=leases, worker=workers, slots=st.integers(1, 3))
    def a_worker_claims(self, worker: str, slots: int) -> Any:
        waiting = [job for job in self.world.jobs.values() if job.ready or job.resumes]
        taken = claim(self.tx, worker, ["image"], slots)
        assert len(taken) == (min(slots, len(waiting)) if self.world.workers[worker] else 0)
        for lease in taken:
            job = self.world.jobs[lease.id]
            assert job.ready or job.resumes
            job.status, job.worker, job.ready, job.resumes = "processing", worker, False, False
            job.fence, job.attempt = job.fence + 1, job.attempt + 1
            assert (lease.fence, lease.attempt, lease.cancel_requested_at is None) == (
                job.fence,
                job.attempt,
                job.wanted,
            )
        return multiple(*taken)

    @rule(worker=workers)
    def a_worker_beats(self, worker: str) -> None:
        assert presence.beat(self.tx, presence.Beat(worker, 0, False, 0.0, 0)) == self.world.workers[worker]

    @rule(worker=workers, behind=st.integers(0, 1))
    def a_sweeper_takes_a_worker_for_lost(self, worker: str, behind: int) -> None:
        rows = {process.id: process for process in presence.processes(self.tx)}
        assume(worker in rows)
        declared = presence.declare_lost(self.tx, worker, rows[worker].beat_n - behind)
        assert declared == (self.world.workers[worker] and not behind)
        if declared:
            self.world.workers[worker] = False

    @rule(worker=workers)
    def a_worker_departs(self, worker: str) -> None:
        presence.depart(self.tx, worker)
        self.world.workers[worker] = False

    @rule(lease=leases, repeatable=st.booleans())
    def a_call_is_sent(self, lease: ClaimedJob, repeatable: bool) -> None:
        job = self.world.jobs[lease.id]
        assume(job.call is None)
        name = f"c{next(self.ids)}"
        start = Sending(name, lease.number, lease.fence, lease.attempt, "fake", "m", repeatable, "w")
        sent = calls.sending(self.tx, [start])[0]
        assert sent == job.holds(lease)
        if sent:
            job.call, job.repeatable, job.call_state = name, repeatable, "sending"

    @rule(name=names)
    def a_provider_accepts(self, name: str) -> None:
        job = self.world.jobs[name]
        assume(job.call is not None)
        news = calls.Accepted(str(job.call), "remote")
        assert calls.accepted(self.tx, [news]) == [job.call_state in ("sending", "unknown", "accepted")]
        job.call_state = "accepted"

    @rule(name=names, state=st.sampled_from(["succeeded", "failed", "unknown"]))
    def news_of_a_call_arrive(self, name: str, state: str) -> None:
        job = self.world.jobs[name]
        assume(job.call is not None)
        assert calls.end_call(self.tx, [CallOutcome(str(job.call), state)]) == [True]
        job.call, job.call_state = (job.call, state) if state == "unknown" else (None, "")

    @rule(lease=leases, reached=st.floats(0, 1))
    def a_step_is_reported(self, lease: ClaimedJob, reached: float) -> None:
        job = self.world.jobs[lease.id]
        (standing,) = progress(self.tx, [Step(lease.number, lease.fence, "running", reached, "image/webp", "x")])
        assert standing.held == job.holds(lease)
        assert standing.cancel_requested == (standing.held and not job.wanted)

    @rule(lease=leases, status=st.sampled_from(["completed", "failed", "canceled"]), pictures=st.integers(0, 2))
    def an_attempt_ends(self, lease: ClaimedJob, status: str, pictures: int) -> None:
        job = self.world.jobs[lease.id]
        delivered = pictures if status == "completed" else 0
        assets = [an_asset(f"a{next(self.ids)}", n) for n in range(delivered)]
        known = CallOutcome(job.call, "failed" if status == "failed" else "succeeded") if job.call else None
        held = job.holds(lease)
        assert finish(self.tx, [Ending(lease.number, lease.fence, Status(status), assets, None, known)]) == [held]
        job.call = None
        if held:
            self.world.funds[job.user] -= job.price * delivered // 2
            job.end(status)

    @rule(lease=leases, due_in_s=st.sampled_from([0.0, 30.0]), uses_attempt=st.booleans(), knows=st.booleans())
    def an_attempt_is_handed_back(self, lease: ClaimedJob, due_in_s: float, uses_attempt: bool, knows: bool) -> None:
        job = self.world.jobs[lease.id]
        known = CallOutcome(job.call, "failed") if job.call and knows else None
        call_open = job.call is not None and not knows
        held = job.holds(lease)
        given = Return(lease.number, lease.fence, "why", due_in_s, uses_attempt, call=known)
        assert hand_back(self.tx, given) == held
        job.call = None if known else job.call
        if held:
            job.attempt -= 0 if uses_attempt else 1
            job.wait(ready=due_in_s == 0, call_open=call_open)

    @rule(name=names)
    def its_user_cancels(self, name: str) -> None:
        job = self.world.jobs[name]
        was = cancel(self.tx, name, job.user)
        if job.status not in LIVE:
            assert was == "ended"
        elif job.status == "pending" and not job.resumes:
            assert was == "pending"
            job.end("canceled")
        else:
            assert was == "processing"
            job.wanted = False

    @rule()
    def the_sweep_takes_from_the_lost(self) -> None:
        orphans = [j for j in self.world.jobs.values() if j.worker is not None and not self.world.workers[j.worker]]
        assert sweep.take_from_lost(self.tx) == len(orphans)
        for job in orphans:
            if job.call and job.call_state == "sending":
                job.call, job.call_state = (None, "") if job.repeatable else (job.call, "unknown")
            job.lost_n, job.attempt = job.lost_n + 1, job.attempt - 1
            if job.lost_n >= MAX_LOST:
                job.end("failed")
            else:
                job.wait(ready=True, call_open=job.call is not None)

    @rule()
    def time_passes_until_retries_are_due(self) -> None:
        waiting = {
            name: j for name, j in self.world.jobs.items() if j.status == "pending" and not (j.ready or j.resumes)
        }
        for row in all_jobs(self.tx):
            if row.id in waiting:
                turn_back(self.tx, row.number, "due_at")
        assert sweep.make_ready(self.tx) == len(waiting)
        for job in waiting.values():
            job.ready = True

    @rule(name=names)
    def its_deadline_comes(self, name: str) -> None:
        job = self.world.jobs[name]
        (row,) = [row for row in all_jobs(self.tx) if row.id == name]
        turn_back(self.tx, row.number, "deadline_at")
        assert sweep.expire(self.tx) == (job.status in LIVE)
        if job.status in LIVE:
            job.end("failed")

    @invariant()
    def rows_say_what_the_model_says(self) -> None:
        for row in all_jobs(self.tx):
            job = self.world.jobs[row.id]
            assert (row.status, row.fence, row.worker_id) == (job.status, job.fence, job.worker)
            assert (row.lost_n, row.cancel_requested_at is None or row.status == "canceled") == (
                job.lost_n,
                job.wanted or row.status == "canceled",
            )
            if row.status in LIVE:
                assert row.attempt == job.attempt
                assert row.resumes == job.resumes

    @invariant()
    def rows_only_ever_move_forward(self) -> None:
        for row in all_jobs(self.tx):
            before = self.seen.get(row.number, Seen("pending", 0, 1))
            if row.status != before.status:
                assert before.status not in TERMINAL
                assert (before.status, row.status) in ALLOWED
                assert row.fence > before.fence
                assert row.sequence > before.sequence
            assert row.fence >= before.fence
            assert row.sequence >= before.sequence
            self.seen[row.number] = Seen(row.status, row.fence, row.sequence)

    @invariant()
    def what_ended_was_told_once_and_no_job_has_two_open_calls(self) -> None:
        for row in all_jobs(self.tx):
            endings = [event for event in told(self.tx, row.number) if event in TERMINAL]
            assert endings == ([row.status] if row.status in TERMINAL else [])
            still_open = [call.id for call in calls_of(self.tx, row.number) if call.state in OPEN]
            name = self.world.jobs[row.id].call
            assert still_open == ([name] if name else [])

    @invariant()
    def the_books_balance(self) -> None:
        assert_books_balance(self.tx)


PACE = settings(
    max_examples=100,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def test_no_interleaving_breaks_a_job_or_the_books(shared_sqlite_url: str) -> None:
    database = open_database(shared_sqlite_url)
    try:
        run_state_machine_as_test(lambda: LivesOfJobs(database), settings=PACE)
    finally:
        database.close()
