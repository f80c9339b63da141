"""What goes wrong without each rule, and the rules that only make things quicker."""

from __future__ import annotations

from typing import NamedTuple

from tests.unit.model import promises
from tests.unit.model.rules import Rules, UnknownPolicy
from tests.unit.model.search import Found, search

POLICIES: tuple[UnknownPolicy, ...] = ("reconcile", "fail_and_release", "retry_once")


class Variant(NamedTuple):
    """Without `rule`, the promise `broken` is broken."""

    rule: str
    broken: str
    policy: UnknownPolicy = "reconcile"
    user_replays: bool = False

    @property
    def sentence(self) -> str:
        return self.rule.replace("_", " ")

    def found(self) -> Found:
        return search(Rules(self.policy, self.user_replays).without(self.rule), self.broken)


VARIANTS = (
    Variant("call_is_recorded_before_it_is_sent", promises.PAID_TWICE),
    Variant("sending_needs_the_lease", promises.TWO_OPEN_CALLS),
    Variant("lease_is_checked_before_the_first_byte", promises.SENT_WITHOUT_LEASE),
    Variant("open_call_is_resumed", promises.TWO_OPEN_CALLS),
    Variant("only_proof_of_refusal_allows_another_call", promises.PAID_TWICE),
    Variant("sweep_makes_sending_unknown", promises.PAID_TWICE),
    Variant("not_finding_a_call_proves_nothing", promises.PAID_TWICE),
    Variant("second_call_is_made_once", promises.PAID_TWICE, "retry_once"),
    Variant("answer_is_recorded_without_the_lease", promises.DROPPED),
    Variant("unknown_never_overwrites_a_remote_id", promises.DROPPED),
    Variant("success_closes_a_call_only_with_its_job", promises.PAID_TWICE),
    Variant("replay_that_resumes_makes_no_call", promises.PAID_TWICE, user_replays=True),
    Variant("finishing_needs_the_lease", promises.SETTLED_TWICE),
    Variant("finishing_needs_the_lease", promises.LEFT_ITS_END),
    Variant("every_move_raises_the_fence", promises.OLD_FENCE),
    Variant("every_move_raises_the_fence", promises.TWO_OPEN_CALLS),
    Variant("files_are_stored_before_the_finish", promises.NOT_DELIVERED),
    Variant("webhook_ends_no_job", promises.NOT_DELIVERED),
    Variant("captured_job_is_resumed_for_free", promises.CHARGED_TWICE, user_replays=True),
    Variant("sweep_takes_from_the_lost", promises.ONLY_DEADLINE),
    Variant("worker_gives_back_what_it_does_not_run", promises.ONLY_DEADLINE),
    Variant("deadline_ends_every_job", promises.STUCK),
    Variant("sweep_ends_unheeded_cancels", promises.UNHEEDED),
    Variant("calls_of_ended_jobs_are_looked_after", promises.FORGOTTEN_CALL),
    Variant("late_news_is_looked_at_again", promises.FORGOTTEN_CALL),
)

QUICKER = ("cancel_waits_for_an_open_call", "cancel_flag_keeps_the_fence", "flag_is_honoured_when_handed_back")
"""Rules without which nothing bad happens: the sweep and the care for calls of ended jobs stand behind them."""


def in_full(policy: UnknownPolicy) -> Found:
    """Every rule in force. Replays are tried under the default policy: they have nothing to do with the others."""
    return search(Rules(policy, user_replays=policy == "reconcile"))
