"""Which scenarios meet which crash points. A test compares this with the source: whoever adds a commit or an await
to the life of a job decides here who is to crash there.
"""

from __future__ import annotations

from collections.abc import Iterable


def around_commits(use_cases: Iterable[str]) -> list[str]:
    """The two points of each."""
    return [f"{name}.{moment}" for name in use_cases for moment in ("before_commit", "after_commit")]


WORKER = (
    "_beat_while_ticking",
    "_keep",
    "accepted",
    "claim",
    "depart",
    "end_call",
    "finish",
    "give_up_on",
    "hand_back",
    "learn",
    "look_again",
    "progress",
    "register",
    "send_again",
    "sending",
    "stop_looking",
    "take_due",
    "take_unrun",
)
"""Use cases a worker commits: scenarios `killed`, `frozen` and `bug`."""
SWEEPER = (
    "cancel_left_items",
    "cancel_unheeded",
    "declare_lost",
    "expire",
    "forget_lost",
    "keep_durations",
    "let_in_missed",
    "make_ready",
    "recount_batches",
    "take_from_lost",
    "top_up_local",
)
"""Those any process may commit at any time: `sweeper killed`."""
API = (
    "cancel",
    "cancel_items",
    "change_project",
    "create_project",
    "grant",
    "hear",
    "keep",
    "keep_upload",
    "open_queues",
    "refund",
    "remove_project",
    "remove_upload",
    "reserve_upload",
    "resume",
    "retry_now",
    "shared_secret",
    "submit",
    "submit_batch",
)
"""`API killed, retried`."""
GATES = ("let_through",)
"""Those of workers whose provider can be called again: `gate opens`."""
PRUNER = ("forget", "forget_uploads", "forget_uses", "mark", "mark_expired", "remove")
"""`prune killed`."""
AWAITS = (
    "Closing.hand_back._surely",
    "Attempt._open._surely",
    "Attempt._open_call._surely",
    "Attempt._reconcile._surely",
    "Closing.record._surely",
    "Attempt._send_again._surely",
    "Attempt._tell_gate._surely",
    "Attempt._without_trace._surely",
    "Attempt._standing._surely",
    "Closing._write._surely",
    "LiveCall._begin.patiently",
    "LiveCall._begin.start",
    "LiveCall._look.read",
    "LiveCall._poll_until_answered.wait",
    "LiveCall._poll.poll",
    "LiveCall._watch.wait",
    "LiveCall._answer.wait",
    "Reporter.write.write",
    "_answer_of.call",
    "Delivery._finish.to_thread",
    "Delivery._keep.put",
    "Delivery._keep.put_file",
    "Fetching._copy.to_thread",
    "Fetching.fetch.to_thread",
    "_as_delivered.head",
    "_as_delivered.put",
    "_as_delivered.to_thread",
    "_end_watch.wait",
    "_load.get",
    "_load.to_thread",
    "_read_back.to_thread",
    "_say.sleep",
    "_say.wait",
    "remote_id_of.find",
    "stopped_at_provider.cancel",
    "upload.sleep",
)
"""`killed`, `frozen` and `bug`."""


LEAVES_UNKNOWN = [
    "LiveCall._begin.start",
    "accepted.before_commit",
    "sending.after_commit",
    "finish.before_commit",
    "Delivery._keep.put",
]
"""Where a worker dies and nobody knows what became of its call."""
LEAVES = {"_as_delivered.put": "Delivery._keep.put"}
"""What the first one must have left undone for the second to come there: a picture whose thumbnail is not stored."""
FINDS_UNKNOWN = [
    "Attempt._open_call._surely",
    "Attempt._reconcile._surely",
    "_as_delivered.to_thread",
    "_as_delivered.head",
    "_as_delivered.put",
    "_read_back.to_thread",
    "remote_id_of.find",
    *around_commits(["accepted", "finish", "hand_back"]),
]
"""Where the next one is while it looks for them: `killed twice`."""
AFTERCARE = around_commits(["_keep", "end_call", "look_again", "stop_looking", "take_due"])
"""Where calls are looked after that have outlived their jobs: `provider silent`."""
CUT_OFF = ["_answer_of.call", "stopped_at_provider.cancel"]
"""Where a worker is that waits for a provider which does not let go: `provider silent`, too."""
SENT_AGAIN = [*around_commits(["send_again"]), "Attempt._send_again._surely"]
"""Where a call that its provider makes only once is sent once more: `idempotent provider`."""
SECOND_CALLS = [*around_commits(["give_up_on", "sending", "hand_back"]), "Attempt._without_trace._surely"]
"""`unknown: retry once`."""
ANEW = around_commits(["register", "take_unrun", "hand_back"])
"""Where a worker is that has lost its row: `worker row deleted`."""
UNSTORED = ["upload.sleep", "_say.sleep", "_say.wait", *around_commits(["hand_back"])]
"""Where a worker is that cannot store what it was given: `storage fails`."""
AFTER_A_LOSS = ["Closing.record._surely", *around_commits(["end_call", "finish"])]
"""Where a worker is whose job others have by now: `frozen`."""
WHERE_STOPPED = ["stopped_at_provider.cancel", "LiveCall._look.read", "Attempt._standing._surely"]
"""Where a call is that was canceled while it ran: two are, when it is their turn."""
LEAVING = around_commits(["depart", "hand_back"])
"""Where a worker is that was asked to end: `claim canceled`."""
HERE = [*around_commits(WORKER), *AWAITS]
_BY_OTHERS = {
    *AFTERCARE,
    *SENT_AGAIN,
    *around_commits(["depart", "give_up_on", "take_unrun"]),
    "_answer_of.call",
    "_as_delivered.head",
    "_as_delivered.put",
    "_as_delivered.to_thread",
    "_read_back.to_thread",
}
IN_AN_ATTEMPT = [point for point in HERE if point not in _BY_OTHERS]
"""What every worker may meet with every job."""
SWEEP = around_commits(SWEEPER)
SERVER = around_commits(API)
OPENING = around_commits(GATES)
PRUNE = around_commits(PRUNER)
IN_OBJECT_STORES = around_commits(["complete_upload"])
"""Where nobody dies in the campaign, which has its files on disk: `tests/crash/test_presigned.py`."""
REMOVALS = around_commits(["forget_assets", "mark_asset", "mark_job"])
"""Where nobody dies in the campaign, which counts every picture: `tests/crash/test_removals.py`."""
WEBHOOKS = around_commits(["ensure_secret", "record_try", "rotate_secret", "take_deliveries"])
"""Where nobody dies in the campaign, whose jobs have no callback: `tests/crash/test_webhooks.py`."""
KEYED = around_commits(["end_session", "note_use", "put_ticket", "take_ticket"])
"""Where nobody dies in the campaign, whose installation is in local mode: `tests/crash/test_sessions.py`."""
RECOVERIES = around_commits(["carry_out", "made", "plan", "stop"])
"""Where nobody dies in the campaign, whose operator plans nothing: `tests/crash/test_recoveries.py`."""
TURNED_AWAY = around_commits(["note"])
"""Where nobody dies in the campaign, whose workers are all of one release: `tests/crash/test_too_old.py`."""
_ELSEWHERE = [*IN_OBJECT_STORES, *REMOVALS, *WEBHOOKS, *KEYED, *RECOVERIES, *TURNED_AWAY]
EVERYWHERE = frozenset([*HERE, *SWEEP, *SERVER, *PRUNE, *OPENING, *_ELSEWHERE])
