"""What workers do, live ones and zombies: their leases are kept for ever, and used whenever it suits."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from safelight.domain.jobs import Status
from safelight.domain.retry import MAX_LOST
from safelight.services import calls, sweep
from safelight.services.calls import Accepted, CallOutcome, Sending
from safelight.services.claimable import ClaimedJob
from safelight.services.finish import Ending, finish
from safelight.services.hand_back import Return, hand_back
from safelight.services.progress import Step, progress
from safelight.services.unknown_calls import give_up_on
from tests.integration.services.lives.claims import Claims
from tests.integration.services.lives.stage import PICK, one_of
from tests.integration.services.lives.world import Call
from tests.integration.services.scene import an_asset


class Workers(Claims):
    def holds(self, lease: ClaimedJob) -> bool:
        job = self.world.jobs[lease.id]
        return job.status == "processing" and job.fence == lease.fence

    @rule(pick=PICK, repeatable=st.booleans())
    def a_call_is_sent(self, pick: int, repeatable: bool) -> None:
        lease = one_of(self.leases, pick)
        if lease is None:
            return
        job = self.world.jobs[lease.id]
        if self.world.open_call(lease.id) is not None or job.resumes_call is not None:
            return
        name = self.new("c")
        start = Sending(name, lease.number, lease.fence, lease.attempt, "fake", "m", repeatable, "w")
        sent = self.holds(lease) and job.wanted
        assert calls.sending(self.tx, [start]) == [sent]
        if not sent:
            return
        assert calls.sending(self.tx, [start]) == [True], "a commit whose outcome was lost is run again"
        self.world.calls[name] = Call(name, lease.id, repeatable)

    @rule(pick=PICK, remote=st.sampled_from(["r1", "r1", "r2"]))
    def a_worker_hears_that_its_call_was_accepted(self, pick: int, remote: str) -> None:
        call = one_of(self.paid_calls(), pick)
        if call is not None:
            name = f"{call.id}-{remote}"
            assert calls.accepted(self.tx, [Accepted(call.id, name)]) == [self.world.named(call, name)]

    def paid_calls(self) -> list[Call]:
        return [call for call in self.world.calls.values() if not call.repeatable]

    @rule(pick=PICK, state=st.sampled_from(["failed", "unknown", "unknown"]))
    def a_worker_records_the_end_of_a_call(self, pick: int, state: str) -> None:
        call = one_of(self.world.calls.values(), pick)
        if call is not None:
            assert calls.end_call(self.tx, [CallOutcome(call.id, state)]) == [call.ends(state)]

    @rule(pick=PICK)
    def an_unknown_call_is_given_up_for_another(self, pick: int) -> None:
        lease = one_of(self.leases, pick)
        call = self.world.open_call(lease.id) if lease else None
        if lease is None or call is None or call.state != "unknown":
            return
        first = not any(other.given_up for other in self.world.calls_of(lease.id))
        may = self.holds(lease) and first
        assert give_up_on(self.tx, lease.number, lease.fence, call.id) == may
        if may:
            call.given_up = call.looked_after = True

    @rule(pick=PICK, reached=st.floats(0, 1))
    def a_step_is_reported(self, pick: int, reached: float) -> None:
        lease = one_of(self.leases, pick)
        if lease is None:
            return
        (standing,) = progress(self.tx, [Step(lease.number, lease.fence, "running", reached, "image/webp", "x")])
        assert standing.held == self.holds(lease)
        assert standing.cancel_requested == (standing.held and not self.world.jobs[lease.id].wanted)

    @rule(
        pick=PICK,
        status=st.sampled_from(["completed", "failed", "canceled"]),
        pictures=st.integers(1, 2),
        which=st.integers(0, 3),
    )
    def an_attempt_ends(self, pick: int, status: str, pictures: int, which: int) -> None:
        lease = one_of(self.leases, pick)
        if lease is not None:
            self.ends(lease, status, pictures, which)

    def ends(self, lease: ClaimedJob, status: str, pictures: int, which: int) -> None:
        job, call = self.world.jobs[lease.id], self._one_of(lease, which)
        files = min(pictures, job.outputs) if status == "completed" else 0
        assets = [an_asset(self.new("a"), n)._replace(call_id=call.id if call else "none") for n in range(files)]
        outcome = CallOutcome(call.id, "failed" if status == "failed" else "succeeded") if call else None
        ending = Ending(lease.number, lease.fence, Status(status), assets, None, outcome)
        held = self.holds(lease)
        assert finish(self.tx, [ending]) == [held]
        if call and (held or status == "failed"):
            call.ends("failed" if status == "failed" else "succeeded")
        elif call:
            self.world.came_late(call, files)
        if held:
            self.world.ended(job, status, files)
        assert finish(self.tx, [ending]) == [False], "an ending that is written twice is one ending"

    def _one_of(self, lease: ClaimedJob, which: int) -> Call | None:
        known = self.world.calls_of(lease.id)
        return known[which] if which < len(known) else self.world.open_call(lease.id)

    @rule(pick=PICK, due_in_s=st.sampled_from([0.0, 30.0]), uses_attempt=st.booleans(), knows=st.booleans())
    def an_attempt_is_handed_back(self, pick: int, due_in_s: float, uses_attempt: bool, knows: bool) -> None:
        lease = one_of(self.leases, pick)
        if lease is None:
            return
        job, call = self.world.jobs[lease.id], self.world.open_call(lease.id)
        known = CallOutcome(call.id, "failed") if call and knows else None
        held = self.holds(lease)
        given = Return(lease.number, lease.fence, "why", due_in_s, uses_attempt, call=known)
        assert hand_back(self.tx, given) == held
        if call and known:
            call.ends("failed")
        if held:
            job.attempt -= 0 if uses_attempt else 1
            self.world.handed_back(job)

    @rule(pick=PICK)
    def a_worker_gives_back_what_it_does_not_run(self, pick: int) -> None:
        lease = one_of(self.leases, pick)
        if lease is None:
            return
        held = self.holds(lease)
        assert sweep.take_unrun(self.tx, lease.number, lease.fence) == held
        if held:
            self.world.taken_back(self.world.jobs[lease.id], MAX_LOST)

    @rule(paid=st.booleans(), pictures=st.integers(1, 3))
    def a_job_is_on_its_way(self, paid: bool, pictures: int) -> None:
        """Several steps in one, so that an example gets further."""
        self.a_worker_comes()
        for n in range(pictures):
            self.a_user_submits(["ann", "bob"][n % 2], 5, 0, None, None, "this")
        self.a_worker_claims(0, pictures, None, True)
        for n in range(pictures):
            self.a_call_is_sent(n, not paid)
