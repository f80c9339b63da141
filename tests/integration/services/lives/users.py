"""What users do: submit, with keys and for later, submit batches, cancel, and resume what an ended job's call made."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from safelight.domain.errors import Conflict, IdempotencyMismatch, InsufficientCredits
from safelight.services import batches
from safelight.services.cancel import cancel
from safelight.services.originals import original
from safelight.services.replay import Resume, resume, source_of
from safelight.services.submission import Replayed, Submitted
from safelight.services.submit import submit
from safelight.services.submit_batch import submit_batch
from tests.integration.services.lives.stage import PICK, Stage, one_of
from tests.integration.services.lives.world import Call, Job
from tests.integration.services.scene import batch_wish, job, wish

USERS = st.sampled_from(["ann", "bob"])


class Users(Stage):
    @rule(
        user=USERS,
        price=st.integers(0, 40),
        priority=st.integers(-1, 1),
        later_s=st.sampled_from([None, None, 20.0, 1_000.0]),
        key=st.sampled_from([None, None, "k1", "k2"]),
        asked=st.sampled_from(["this", "that"]),
    )
    def a_user_submits(
        self, user: str, price: int, priority: int, later_s: float | None, key: str | None, asked: str
    ) -> None:
        name = self.new("j")
        start_at = None if later_s is None else self.tx.now + later_s
        given = {"price": price, "priority": priority, "outputs": 2, "start_at": start_at, "request_hash": asked}
        submission = wish(name, user, key=key, **given)
        (answer,) = submit(self.tx, [submission])
        held_by = self.world.keys.get((user, key or ""))
        if key and held_by:
            assert isinstance(answer, Replayed if held_by[0] == asked else IdempotencyMismatch)
            assert not isinstance(answer, Replayed) or answer.job_id == held_by[1]
            return
        if self.world.available(user) < price:
            assert isinstance(answer, InsufficientCredits)
            return
        assert answer == Submitted(name)
        assert submit(self.tx, [submission]) == [answer], "a commit whose outcome was lost is run again"
        self.world.jobs[name] = Job(name, user, price, outputs=2)
        if key:
            self.world.keys[user, key] = (asked, name)

    @rule(user=USERS, prices=st.lists(st.integers(0, 15), min_size=1, max_size=3))
    def a_user_submits_a_batch(self, user: str, prices: list[int]) -> None:
        name, items = self.new("b"), [self.new("j") for _ in prices]
        asked = batch_wish(name, items, user, price=prices[0])
        total = prices[0] * len(items)
        answer = submit_batch(self.tx, asked)
        if self.world.available(user) < total:
            assert isinstance(answer, InsufficientCredits)
            return
        assert answer == submit_batch(self.tx, asked) == Submitted(name)
        self.world.jobs[name] = Job(name, user, 0, items=tuple(items))
        self.world.jobs |= {item: Job(item, user, prices[0], batch=name) for item in items}

    @rule(pick=PICK)
    def its_user_cancels(self, pick: int) -> None:
        job = one_of(self.world.jobs.values(), pick)
        if job is None:
            return
        status, waits = job.status, job.status == "pending" and not self.resumes_now(job.name)
        first = job.wanted
        was = cancel(self.tx, job.name, job.user)
        if status not in ("pending", "processing"):
            assert was == "ended"
            return
        assert was == ("pending" if waits and (first or not job.items) else "processing")
        if waits and not job.items:
            self.world.ended(job, "canceled")
        else:
            job.wanted = False

    def resumes_now(self, name: str) -> bool:
        return bool(job(self.tx, name).resumes)

    @rule()
    def a_canceled_batch_cancels_its_items(self) -> None:
        left = [
            item
            for batch in list(self.world.jobs.values())
            if batch.live and batch.items and not batch.wanted
            for item in map(self.world.jobs.__getitem__, batch.items)
            if item.live and item.wanted
        ]
        at_once = {item.name for item in left if item.status == "pending" and not self.resumes_now(item.name)}
        assert batches.cancel_left_items(self.tx) == len(left)
        for item in left:
            if item.name in at_once:
                self.world.ended(item, "canceled")
            else:
                item.wanted = False

    @rule(pick=PICK)
    def its_user_resumes_it(self, pick: int) -> None:
        first = one_of([job for job in self.world.jobs.values() if not job.live and not job.items], pick)
        if first is None:
            return
        found = original(self.tx, first.name, first.user)
        assert found is not None
        source = source_of(self.tx, found.number)
        if source is None:
            return
        new, call_id = self.new("j"), self.new("c")
        wanted = wish(new, first.user, outputs=first.outputs, replay_of=found.number, resumed_call=source.id)
        answer = resume(self.tx, Resume(found, source, wanted, call_id))
        before = self.world.fetching(first.user, source.remote_id)
        price = 0 if any(job.captured for job in (first, *before)) else first.price
        if any(job.live for job in before):
            assert isinstance(answer, Conflict)
            return
        if self.world.available(first.user) < price:
            assert isinstance(answer, InsufficientCredits)
            return
        assert answer == Submitted(new)
        self._taken_over(first, Job(new, first.user, price, first.outputs, resumes_call=source.id), call_id)

    def _taken_over(self, first: Job, second: Job, call_id: str) -> None:
        """The files that came late are the new job's; else it polls the same remote id under a row of its own."""
        source = self.world.calls[str(second.resumes_call)]
        source.ends("failed")
        self.world.jobs[second.name] = second
        files = first.recovered.pop(source.id, 0)
        state = "succeeded" if files else "accepted"
        self.world.calls[call_id] = Call(call_id, second.name, False, state, source.remote)
        if files:
            self.world.ended(second, "completed", min(files, second.outputs))
