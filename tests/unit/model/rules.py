"""The rules that keep a job and its calls safe, each with a switch. The full set is `Rules()`.

The database's unique indexes (one open call, one settlement) are left out on purpose: they are a second line that turns
a bug into an error. The rules must do without them.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

UnknownPolicy = Literal["reconcile", "fail_and_release", "retry_once"]


class Rules(NamedTuple):
    """Which rules are in force, and what the operator wants done about calls of which nobody knows."""

    policy: UnknownPolicy = "reconcile"
    user_replays: bool = True
    """Whether the user may, once, resume the call of the ended job by a replay."""

    call_is_recorded_before_it_is_sent: bool = True
    """`sending` is committed before any byte leaves."""
    sending_needs_the_lease: bool = True
    """`sending` is written only under the job's fence."""
    lease_is_checked_before_the_first_byte: bool = True
    """A worker that is taken for lost sends nothing, unless it froze between this check and the first byte."""
    open_call_is_resumed: bool = True
    """Who claims a job with an open call goes on with that call and makes no other."""
    only_proof_of_refusal_allows_another_call: bool = True
    """A call that was cut off is unknown, not failed."""
    sweep_makes_sending_unknown: bool = True
    """Of a lost worker's `sending` call nobody knows whether it left."""
    not_finding_a_call_proves_nothing: bool = True
    """A provider's list may lag, and a frozen worker may still send."""
    second_call_is_made_once: bool = True
    """`retry_once` gives up at most one call of a job."""
    answer_is_recorded_without_the_lease: bool = True
    """Call moves are guarded by the call's own state, never by the job's fence."""
    unknown_never_overwrites_a_remote_id: bool = True
    """A worker whose connection was cut does not undo what a webhook has told meanwhile."""
    success_closes_a_call_only_with_its_job: bool = True
    """A result that comes without the lease leaves the call open while its job lives: else the next makes another."""
    replay_that_resumes_makes_no_call: bool = True
    """If the provider has nothing for it any more, it fails: the original call may have been billed."""

    finishing_needs_the_lease: bool = True
    """The ending is guarded by status and fence."""
    every_move_raises_the_fence: bool = True
    """Claim, hand-back, sweep and ending each make older leases void."""
    files_are_stored_before_the_finish: bool = True
    """Credits are captured only for what is in storage."""
    webhook_ends_no_job: bool = True
    """A provider's webhook is recorded on the call; the holder finishes."""
    captured_job_is_resumed_for_free: bool = True
    """A replay that resumes the call of a job that was paid for costs nothing."""

    sweep_takes_from_the_lost: bool = True
    """A lost worker's jobs go back to their queue."""
    worker_gives_back_what_it_does_not_run: bool = True
    """A claim whose answer was lost leaves a job that its live worker does not know."""
    deadline_ends_every_job: bool = True
    """The sweep fails a job that is past its deadline, whoever is or is not alive."""
    sweep_ends_unheeded_cancels: bool = True
    """If no worker honours the flag within a lease, the sweep ends the job."""
    calls_of_ended_jobs_are_looked_after: bool = True
    """Workers cancel or poll them and record outcome and cost, for a while."""
    late_news_is_looked_at_again: bool = True
    """A call named after its watch time has a watch time again."""

    cancel_waits_for_an_open_call: bool = True
    """A pending job with an open call is flagged, not ended at once."""
    cancel_flag_keeps_the_fence: bool = True
    """Setting the flag does not void the lease of whoever will honour it."""
    flag_is_honoured_when_handed_back: bool = True
    """A canceled job that goes back to `pending` without an open call ends instead."""

    def without(self, *names: str) -> Rules:
        """The same with these rules switched off."""
        return self._replace(**dict.fromkeys(names, False))
