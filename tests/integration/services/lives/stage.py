"""Where the machine plays: one transaction, its clock, and what must hold after every step."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from safelight.domain.jobs import ALLOWED, LIVE, TERMINAL
from safelight.services import aftercare, batches, sweep
from safelight.services.claimable import ClaimedJob
from safelight.store.database import Database
from safelight.testing.books import assert_books_balance
from tests.integration.services.lives.snapshot import Snapshot
from tests.integration.services.lives.world import Job, World
from tests.integration.services.scene import all_jobs, go_on, hire, is_at_rest, scene

DAY_S = 86_400.0
PICK = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 5])
"""Which of those there are, the newest first."""
T = TypeVar("T")


def one_of(things: Collection[T], pick: int) -> T | None:
    return list(things)[-1 - pick % len(things)] if things else None


PATIENCE_S = 30.0


@dataclass
class Seen:
    """What a job's row said after the step before."""

    status: str
    fence: int
    sequence: int


class Stage(RuleBasedStateMachine):
    """One example is one transaction, rolled back at its end. Before that, time runs until every job has ended."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._stage = ExitStack()
        self.tx = self._stage.enter_context(scene(database, users=("ann", "bob"), credits=60, workers=()))
        self._started_at = self.tx.now
        self.world, self.seen, self._ids = World(funds={"ann": 60, "bob": 60}), dict[int, Seen](), count(1)
        self.leases: list[ClaimedJob] = []
        """Every lease there ever was: a zombie uses an old one whenever it suits."""

    def teardown(self) -> None:
        with self._stage:
            self.time_runs_until_every_job_has_ended()

    def new(self, letter: str) -> str:
        return f"{letter}{next(self._ids)}"

    def rows(self) -> dict[str, Any]:
        return {row.id: row for row in all_jobs(self.tx)}

    @rule()
    def a_worker_comes(self) -> None:
        name = self.new("w")
        hire(self.tx, name)
        self.world.workers[name] = True

    @rule(seconds=st.sampled_from([0.5, 5.0, 40.0, 700.0, 4_000.0, -3.0, -900.0]))
    def the_clock_goes_on_or_jumps(self, seconds: float) -> None:
        self.set_clock(self.tx.now + seconds)

    def set_clock(self, at: float) -> None:
        """Both kinds of transaction read the clock once, and keep what they read."""
        self.tx._now = at  # type: ignore[attr-defined]

    @invariant()
    def what_must_hold_holds(self) -> None:
        now = Snapshot(self.tx)
        self.rows_say_what_the_model_says(now)
        self.a_waiting_job_waits_for_one_thing(now)
        self.rows_only_ever_move_forward(now)
        self.what_ended_was_told_and_settled_once(now)
        self.calls_are_as_they_were_left_and_one_is_open_at_most(now)
        assert_books_balance(self.tx)

    def rows_say_what_the_model_says(self, now: Snapshot) -> None:
        rows = {row.id: row for row in now.jobs}
        assert rows.keys() == self.world.jobs.keys()
        for name, row in rows.items():
            job = self.world.jobs[name]
            assert (row.status, row.fence, row.worker_id, row.lost_n) == (job.status, job.fence, job.worker, job.lost_n)
            assert row.captured == job.captured
            assert row.resumes == self.resumes_by_row(row, job)
            if job.live:
                assert (row.attempt, row.cancel_requested_at is None) == (job.attempt, job.wanted)

    def resumes_by_row(self, row: Any, job: Job) -> bool:
        """A job goes on being claimed first if its call ends while it waits."""
        return bool(row.resumes) if row.status == "pending" and not self.world.resumes(job) else self.world.resumes(job)

    def a_waiting_job_waits_for_one_thing(self, now: Snapshot) -> None:
        for row in now.jobs:
            if row.status == "pending" and row.kind != "batch":
                waits = [bool(row.ready), bool(row.resumes), row.waiting_for is not None, row.due_at is not None]
                assert sum(waits) == 1 or (row.resumes and not row.ready)
            else:
                assert not any((row.ready, row.resumes, row.waiting_for, row.due_at))

    def rows_only_ever_move_forward(self, now: Snapshot) -> None:
        for row in now.jobs:
            before = self.seen.get(row.number, Seen("pending", 0, 1))
            if row.status != before.status:
                assert before.status not in TERMINAL
                assert (before.status, row.status) in ALLOWED or row.kind == "batch" or row.replay_of
                assert row.fence > before.fence
                assert row.sequence > before.sequence
            assert row.fence >= before.fence
            assert row.sequence >= before.sequence
            self.seen[row.number] = Seen(row.status, row.fence, row.sequence)

    def what_ended_was_told_and_settled_once(self, now: Snapshot) -> None:
        for row in now.jobs:
            has_ended = row.status in TERMINAL
            assert now.endings_of(row) == ([row.status] if has_ended else [])
            assert len(now.settlements_of(row)) == has_ended
            assert not has_ended or is_at_rest(row)

    def calls_are_as_they_were_left_and_one_is_open_at_most(self, now: Snapshot) -> None:
        for row in now.jobs:
            found = now.calls_of(row)
            known = {call.id: call for call in self.world.calls_of(row.id)}
            assert [(c.id, c.state, c.remote_id) for c in found] == [
                (c.id, known[c.id].state, known[c.id].remote) for c in found
            ]
            assert sum(known[c.id].is_open and c.given_up_at is None for c in found) <= 1
            for call in found:
                assert (call.check_at is not None) == known[call.id].looked_after, call

    def time_runs_until_every_job_has_ended(self) -> None:
        """No worker helps: sweeps alone end every job, and nobody forgets an open call."""
        go_on(self.tx)
        latest = max((row.deadline_at for row in all_jobs(self.tx)), default=self._started_at)
        self.set_clock(max(self.tx.now, latest) + DAY_S)
        sweep.make_ready(self.tx)
        sweep.take_from_lost(self.tx)
        sweep.cancel_unheeded(self.tx, PATIENCE_S)
        sweep.expire(self.tx)
        batches.cancel_left_items(self.tx)
        assert batches.recount_batches(self.tx) == 0, "a batch ends with its last item"
        assert [row.id for row in all_jobs(self.tx) if row.status in LIVE] == []
        for call in aftercare.take_due(self.tx, ["fake"], 1_000, PATIENCE_S):
            assert aftercare.stop_looking(self.tx, call.id)
        assert not aftercare.any_due(self.tx, ["fake"])
        self.what_ended_was_told_and_settled_once(Snapshot(self.tx))
