"""What ought to be true of jobs, calls and money, in memory: as little as it takes to foretell what a use case answers.

Which pending job is ready, delayed or parked is not foretold here: the machine checks that it is one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from safelight.domain.jobs import LIVE

OPEN = ("sending", "accepted", "unknown")


@dataclass
class Call:
    """A row of `calls`."""

    id: str
    job: str
    repeatable: bool
    state: str = "sending"
    remote: str | None = None
    given_up: bool = False
    looked_after: bool = False

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def ends(self, state: str) -> bool:
        """Whether that was news. What was accepted never becomes unknown."""
        if not self.is_open or (state == "unknown" and self.state != "sending"):
            return False
        self.state = state
        self.looked_after = self.looked_after and state == "unknown"
        return True


@dataclass
class Job:
    """A row of `jobs`. A batch has items and no worker."""

    name: str
    user: str
    price: int
    outputs: int = 1
    status: str = "pending"
    fence: int = 0
    worker: str | None = None
    wanted: bool = True
    lost_n: int = 0
    attempt: int = 0
    started: bool = False
    batch: str | None = None
    resumes_call: str | None = None
    captured: int = 0
    recovered: dict[str, int] = field(default_factory=dict)
    """How many files each call of it brought too late."""
    items: tuple[str, ...] = ()

    @property
    def live(self) -> bool:
        return self.status in LIVE


@dataclass
class World:
    jobs: dict[str, Job] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    funds: dict[str, int] = field(default_factory=dict)
    workers: dict[str, bool] = field(default_factory=dict)
    """Whether each is live."""
    keys: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """Of user and key: the request's hash and the job made for it."""
    paused: bool = False

    def available(self, user: str) -> int:
        return self.funds[user] - sum(job.price for job in self.jobs.values() if job.user == user and job.live)

    def calls_of(self, name: str) -> list[Call]:
        return [call for call in self.calls.values() if call.job == name]

    def open_call(self, name: str) -> Call | None:
        return next((call for call in self.calls_of(name) if call.is_open and not call.given_up), None)

    def named(self, call: Call, remote: str) -> bool:
        """Whether it has that name now. Of a call that nobody waits for somebody must hear."""
        if call.state in ("sending", "unknown"):
            call.state, call.remote = "accepted", remote
            call.looked_after = call.given_up or not self.jobs[call.job].live
        return call.state == "accepted" and call.remote == remote

    def fetching(self, user: str, remote: str | None) -> list[Job]:
        """The user's jobs with a call of that name: the first one and all that resume it, or a resume of it."""
        found = {call.job for call in self.calls.values() if call.remote == remote}
        return [job for job in self.jobs.values() if job.name in found and job.user == user]

    def resumes(self, job: Job) -> bool:
        """Whether it waits with an open call. One that fetches an earlier result takes its first turn like others."""
        first_turn = job.resumes_call is not None and not job.started
        return job.status == "pending" and not (job.items or first_turn) and self.open_call(job.name) is not None

    def claimed(self, job: Job, worker: str) -> None:
        job.status, job.worker, job.started = "processing", worker, True
        job.fence, job.attempt = job.fence + 1, job.attempt + 1
        if job.batch and self.jobs[job.batch].status == "pending":
            batch = self.jobs[job.batch]
            batch.status, batch.started, batch.fence = "processing", True, batch.fence + 1

    def handed_back(self, job: Job) -> None:
        """Pending again, unless nobody wants it any more."""
        if not job.wanted and self.open_call(job.name) is None:
            self.ended(job, "canceled")
        else:
            job.status, job.worker, job.fence = "pending", None, job.fence + 1

    def taken_back(self, job: Job, max_lost: int) -> None:
        """From a worker that is lost: nobody knows what became of a call it was sending."""
        for call in self.calls_of(job.name):
            if call.state == "sending":
                call.ends("failed" if call.repeatable else "unknown")
        job.lost_n, job.attempt = job.lost_n + 1, job.attempt - 1
        if job.lost_n < max_lost:
            self.handed_back(job)
        else:
            job.attempt += 1
            self.ended(job, "failed")

    def canceled(self, job: Job) -> None:
        """Ends at once, or is flagged."""
        if job.status == "pending" and not job.items and self.open_call(job.name) is None:
            self.ended(job, "canceled")
        else:
            job.wanted = False

    def ended(self, job: Job, status: str, delivered: int = 0) -> None:
        job.status, job.worker, job.fence = status, None, job.fence + 1
        job.captured = job.price * delivered // job.outputs
        self.funds[job.user] -= job.captured
        for call in self.calls_of(job.name):
            if call.is_open and call.repeatable:
                call.ends("failed")
            elif call.is_open:
                call.looked_after = True
        if job.batch:
            self._counted(self.jobs[job.batch])

    def _counted(self, batch: Job) -> None:
        statuses = [self.jobs[name].status for name in batch.items]
        if any(status in LIVE for status in statuses):
            return
        if set(statuses) == {"completed"}:
            self.ended(batch, "completed")
        elif "completed" in statuses:
            self.ended(batch, "partial")
        elif not batch.wanted or set(statuses) == {"canceled"}:
            self.ended(batch, "canceled")
        else:
            self.ended(batch, "failed")

    def came_late(self, call: Call, files: int) -> bool:
        """A result without the lease: whether it closed its call. While the job lives on, its holder will find it."""
        job = self.jobs[call.job]
        if not call.is_open or (job.live and not call.given_up):
            return False
        call.ends("succeeded")
        job.recovered[call.id] = job.recovered.get(call.id, 0) + files
        return True
