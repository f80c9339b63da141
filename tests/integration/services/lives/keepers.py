"""What happens by itself: sweeps, losses, pauses, webhooks, and those who look after calls of ended jobs."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from safelight.domain.retry import MAX_LOST
from safelight.services import aftercare, batches, parking, pause, presence, sweep
from safelight.services.calls import CallOutcome, end_call
from safelight.services.caps import Caps
from safelight.services.hear import News, hear
from safelight.services.late import Late, keep_late
from tests.integration.services.lives.stage import PATIENCE_S, PICK, one_of
from tests.integration.services.lives.workers import Workers
from tests.integration.services.scene import an_asset, go_on, job


class Keepers(Workers):
    @rule(pick=PICK, behind=st.integers(0, 1))
    def a_sweeper_takes_a_worker_for_lost(self, pick: int, behind: int) -> None:
        worker = one_of(self.world.workers, pick)
        rows = {process.id: process for process in presence.processes(self.tx)}
        if worker is None or worker not in rows:
            return
        declared = presence.declare_lost(self.tx, worker, rows[worker].beat_n - behind)
        assert declared == (self.world.workers[worker] and not behind)
        if declared:
            self.world.workers[worker] = False

    @rule(pick=PICK)
    def a_worker_departs(self, pick: int) -> None:
        worker = one_of(self.world.workers, pick)
        if worker is None:
            return
        presence.depart(self.tx, worker)
        self.world.workers[worker] = False

    @rule()
    def the_sweep_takes_from_the_lost(self) -> None:
        orphans = [j for j in self.world.jobs.values() if j.worker is not None and not self.world.workers[j.worker]]
        assert sweep.take_from_lost(self.tx) == len(orphans)
        for orphan in orphans:
            self.world.taken_back(orphan, MAX_LOST)

    @rule(pick=PICK, status=st.sampled_from(["completed", "failed"]), which=st.integers(0, 3))
    def a_zombie_ends_an_attempt(self, pick: int, status: str, which: int) -> None:
        """Its worker froze, was taken for lost, and goes on when its job has been taken from it."""
        lease = one_of([lease for lease in self.leases if self.holds(lease)], pick)
        if lease is None:
            return
        worker = str(self.world.jobs[lease.id].worker)
        if self.world.workers[worker]:
            self.a_sweeper_takes_a_worker_for_lost([*reversed(self.world.workers)].index(worker), 0)
        self.the_sweep_takes_from_the_lost()
        self.ends(lease, status, 1, which)

    @rule()
    def the_sweep_makes_ready_what_is_due(self) -> None:
        due = [r for r in self.rows().values() if r.status == "pending" and r.due_at and r.due_at <= self.tx.now]
        assert sweep.make_ready(self.tx) == len(due)

    @rule()
    def the_sweep_ends_what_is_overdue(self) -> None:
        overdue = [
            self.world.jobs[name]
            for name, row in self.rows().items()
            if row.kind != "batch" and row.deadline_at <= self.tx.now and self.world.jobs[name].live
        ]
        overdue = [job for job in overdue if job.started or not self.world.paused]
        assert sweep.expire(self.tx) == len(overdue)
        for late in overdue:
            self.world.ended(late, "failed")

    @rule()
    def the_sweep_ends_cancels_that_nobody_honours(self) -> None:
        unheeded = [
            self.world.jobs[name]
            for name, row in self.rows().items()
            if self.world.jobs[name].live
            and row.kind != "batch"
            and row.cancel_requested_at is not None
            and row.cancel_requested_at <= self.tx.now - PATIENCE_S
        ]
        assert sweep.cancel_unheeded(self.tx, PATIENCE_S) == len(unheeded)
        for canceled in unheeded:
            self.world.ended(canceled, "canceled")

    @rule(cap=st.sampled_from([None, 1, 2]))
    def the_sweep_lets_in_what_was_missed(self, cap: int | None) -> None:
        parking.let_in_missed(self.tx, Caps(cap), parking.FIRST_GROUP)
        parked = [row for row in self.rows().values() if row.waiting_for is not None]
        for row in parked:
            kind, _, name = row.waiting_for.partition(":")
            if kind == "worker":
                assert self.world.workers[name]
            else:
                assert cap is not None
                assert self.running_of(name) >= cap or sum(
                    r.user_id == name and bool(r.ready) for r in self.rows().values()
                )

    @rule()
    def the_sweep_finds_no_batch_to_recount(self) -> None:
        assert batches.recount_batches(self.tx) == 0

    @rule(pauses=st.booleans())
    def an_operator_pauses_the_queue_or_lets_it_go_on(self, pauses: bool) -> None:
        if pauses:
            assert pause.pause(self.tx, "image", "why") == (not self.world.paused)
        else:
            go_on(self.tx)
        self.world.paused = pauses

    @rule(pick=PICK, remote=st.sampled_from(["r1", "r1", "r2"]))
    def a_webhook_comes(self, pick: int, remote: str) -> None:
        call = one_of(self.paid_calls(), pick)
        if call is None:
            return
        status, name = self.world.jobs[call.job].status, f"{call.id}-{remote}"
        assert hear(self.tx, News("fake", name, call.id))
        self.world.named(call, name)
        assert job(self.tx, call.job).status == status, "a webhook ends no job"
        if call.is_open and not self.world.jobs[call.job].live:
            call.looked_after = True

    @rule(found=st.sampled_from(["nothing", "result", "failure", "too late"]))
    def somebody_looks_after_calls_that_are_due(self, found: str) -> None:
        for left in aftercare.take_due(self.tx, ["fake"], 8, 60.0):
            call = self.world.calls[left.id]
            match found:
                case "nothing":
                    assert aftercare.look_again(self.tx, left.id, 30.0)
                case "result":
                    files = [an_asset(self.new("a"))._replace(call_id=left.id)]
                    late = Late(left.job, CallOutcome(left.id, "succeeded"), files)
                    assert keep_late(self.tx, [late]) == [self.world.came_late(call, len(files))]
                case "failure":
                    call.ends("failed")
                    assert end_call(self.tx, [CallOutcome(left.id, "failed")]) == [True]
                case _:
                    assert aftercare.stop_looking(self.tx, left.id)
                    call.looked_after = False
