"""What a worker may claim, and what a claim owes to the others who wait."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from safelight.services import parking, presence
from safelight.services.caps import Caps
from safelight.services.claim import PARTS, Terms, claim
from safelight.services.claimable import SUSPECT_AFTER, ClaimedJob
from tests.integration.services.lives.stage import PICK, one_of
from tests.integration.services.lives.users import Users


class Claims(Users):
    @rule(pick=PICK)
    def a_worker_beats(self, pick: int) -> None:
        worker = one_of(self.world.workers, pick) or "nobody"
        assert presence.beat(self.tx, presence.Beat(worker, 0, False, 0.0, 0)) == self.world.workers.get(worker, False)

    @rule(
        pick=PICK,
        slots=st.integers(1, 3),
        cap=st.sampled_from([None, None, 1, 2]),
        idle=st.booleans(),
    )
    def a_worker_claims(self, pick: int, slots: int, cap: int | None, idle: bool) -> None:
        """A nudge makes it look; one that is lost or comes twice makes it look later or twice, and nothing else."""
        worker = one_of(self.world.workers, pick)
        if worker is None:
            return
        before = self.rows()
        taken = claim(self.tx, worker, ["image"], slots, Terms(idle=idle, caps=Caps(cap)))
        may = {name for name, row in before.items() if self._may_be_claimed(row, worker)}
        assert {lease.id for lease in taken} <= (may if self.world.workers[worker] else set())
        assert len(taken) <= slots
        for lease in taken:
            self.world.claimed(self.world.jobs[lease.id], worker)
            job = self.world.jobs[lease.id]
            assert (lease.fence, lease.attempt, lease.cancel_requested_at is None) == (
                job.fence,
                job.attempt,
                job.wanted,
            )
        self._is_a_fair_claim(before, taken, slots=slots, cap=cap, idle=idle, live=self.world.workers[worker], may=may)
        self.leases += taken

    def _may_be_claimed(self, row: Any, worker: str) -> bool:
        if row.status != "pending" or row.kind == "batch":
            return False
        if row.waiting_for == parking.reserved(worker):
            return True
        is_due = row.due_at is None or row.due_at <= self.tx.now
        return bool((row.resumes and is_due) or (row.ready and not self.world.paused))

    def _is_a_fair_claim(
        self,
        before: dict[str, Any],
        taken: list[ClaimedJob],
        *,
        slots: int,
        cap: int | None,
        idle: bool,
        live: bool,
        may: set[str],
    ) -> None:
        suspects = {name for name in may if before[name].lost_n >= SUSPECT_AFTER}
        if any(lease.id in suspects for lease in taken):
            assert {lease.id for lease in taken} <= suspects, "a job that lost two workers takes no neighbours along"
            assert len(taken) == 1 or len(suspects) >= 2 * PARTS
            assert idle
        elif live and not suspects and cap is None:
            assert len(taken) == min(slots, len(may)), "what can run runs"
        if cap is not None and not suspects:
            for user in {lease.user_id for lease in taken if before[lease.id].ready}:
                assert self.running_of(user) <= cap

    def running_of(self, user: str) -> int:
        return sum(
            row.kind != "batch" and row.user_id == user and (row.status == "processing" or bool(row.resumes))
            for row in self.rows().values()
        )
