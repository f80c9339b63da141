"""What must be there for a sweep to come by a commit: made by hand where it would take long to come about by itself."""

from __future__ import annotations

import time
from collections.abc import Callable

from safelight.services.durations import ENOUGH
from tests.crash.campaign.house import House

ENDED_WITHIN_S = 30.0

NEVER_SEEN = """
INSERT INTO workers (id, role, host, boot_id, pid, process_started, backend, queues, providers, slots, version,
                     started_at, beat_at, lost_at)
VALUES ('long-gone', 'worker', 'elsewhere', 'boot', 1, '1', 'database', '[]', '[]', 1, '0', 1, 1, 1)
ON CONFLICT DO NOTHING
"""


def nothing(house: House, job_id: str) -> None:
    """What the scenario has made is enough."""


def a_due_job(house: House, job_id: str) -> None:
    house.change(f"UPDATE jobs SET ready = false, due_at = {time.time()} WHERE id = '{job_id}'")  # noqa: S608 - our id


def a_parked_job(house: House, job_id: str) -> None:
    """Of a user who has no cap any more."""
    house.change(f"UPDATE jobs SET ready = false, waiting_for = 'user:local' WHERE id = '{job_id}'")  # noqa: S608 - our id


def an_unheeded_cancel(house: House, job_id: str) -> None:
    house.change(f"UPDATE jobs SET cancel_requested_at = 1 WHERE id = '{job_id}'")  # noqa: S608 - our id


def a_long_gone_worker(house: House, job_id: str) -> None:
    house.change(NEVER_SEEN)


def a_poor_local_user(house: House, job_id: str) -> None:
    assert house.command("credits", "adjust", "local", "-950000", "--note", "to see it topped up").wait() == 0


def a_forgotten_batch(house: House, job_id: str) -> None:
    """Its only item has ended without being counted, as after a repair by hand."""
    house.ask("/api/jobs/batch-generation", model="stand-in", prompts=["a pier answer=now"])
    item = house.rows("SELECT id, parent FROM jobs WHERE parent IS NOT NULL ORDER BY number DESC LIMIT 1")[0]
    house.change(f"UPDATE jobs SET parent = NULL WHERE id = '{item['id']}'")  # noqa: S608 - our id
    house.ask(f"/api/jobs/{item['id']}/cancel")
    house.change(f"UPDATE jobs SET parent = {item['parent']} WHERE id = '{item['id']}'")  # noqa: S608 - our id


def enough_jobs_to_learn_from(house: House, job_id: str) -> None:
    """What was learnt of their model is forgotten."""
    ids = house.submit([f"a pier {n} answer=now" for n in range(ENOUGH)])
    worker = house.worker()
    assert house.until_ended(ids, ENDED_WITHIN_S)
    house.close_workers(worker)
    house.change("DELETE FROM durations")


def a_cancel_that_reached_no_item(house: House, job_id: str) -> None:
    """Of a batch: its driver died."""
    house.ask("/api/jobs/batch-generation", model="stand-in", prompts=["a pier answer=now", "another answer=now"])
    house.change("UPDATE jobs SET cancel_requested_at = 1 WHERE kind = 'batch' AND finished_at IS NULL")


TO_SWEEP: dict[str, Callable[[House, str], None]] = {
    "cancel_unheeded": an_unheeded_cancel,
    "forget_lost": a_long_gone_worker,
    "let_in_missed": a_parked_job,
    "make_ready": a_due_job,
    "top_up_local": a_poor_local_user,
}
"""By the use case whose commit is to be met; each is given a job that waits. Nobody sweeps meanwhile."""
TO_SWEEP_BEFORE: dict[str, Callable[[House, str], None]] = {
    "cancel_left_items": a_cancel_that_reached_no_item,
    "keep_durations": enough_jobs_to_learn_from,
    "recount_batches": a_forgotten_batch,
}
"""The same while there is a server to ask."""
