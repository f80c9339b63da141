"""What a client asks the API for beside single jobs, so that it comes by the commits of those requests too.

Each is asked twice under one reference, before the API dies and after it: the books tell if that counted twice.
"""

from __future__ import annotations

from collections.abc import Callable

from safelight.providers.callbacks import callback_url
from tests.crash.campaign.house import House
from tests.support.phoenix import phoenix

NEWEST = "SELECT id, prompt FROM jobs WHERE kind <> 'batch' ORDER BY number DESC LIMIT 1"
DELIVERED = "SELECT id FROM jobs WHERE status = 'completed' AND captured > 1 ORDER BY number LIMIT 1"


def nothing(house: House, reference: str) -> None:
    """That point is met without asking for more."""


def cancel(house: House, reference: str) -> None:
    house.ask(f"/api/jobs/{house.rows(NEWEST)[0]['id']}/cancel")


def retry(house: House, reference: str) -> None:
    """Of a job that waits or runs: refused, or tried now."""
    house.ask(f"/api/jobs/{house.rows(NEWEST)[0]['id']}/retry", reference)


def resume(house: House, reference: str) -> None:
    """Of a job that was delivered, if there is one in this house."""
    for row in house.rows(DELIVERED):
        house.ask(f"/api/jobs/{row['id']}/replay", reference, mode="resume")


def refund(house: House, reference: str) -> None:
    for row in house.rows(DELIVERED):
        house.ask("/api/credits/refund", reference, job_id=row["id"], amount=1)


def grant(house: House, reference: str) -> None:
    house.ask("/api/credits/grant", reference, user_id="somebody", amount=5)


def hear(house: House, reference: str) -> None:
    """The provider announces a call, as by a webhook, and again where nobody heard it."""
    secret = str(house.rows("SELECT value FROM installation WHERE name = 'signing_secret'")[0]["value"]).encode()
    for row in house.rows("SELECT id, remote_id FROM calls WHERE remote_id IS NOT NULL ORDER BY number DESC LIMIT 1"):
        house.ask(callback_url(secret, "", "stand-in", row["id"]), id=row["remote_id"], status="processing")


def upload(house: House, reference: str) -> None:
    """Two pictures, of which one is taken back at once."""
    house.upload(1)
    house.made.request("DELETE", f"/api/uploads/{house.upload(2)}")


def batch(house: House, reference: str) -> None:
    """Three jobs at once, canceled at once."""
    prompts = [f"a pier {n} answer=now" for n in range(3)]
    house.ask("/api/jobs/batch-generation", reference, model="stand-in", prompts=prompts)
    for row in house.rows("SELECT id FROM jobs WHERE kind = 'batch' ORDER BY number DESC LIMIT 1"):
        house.ask(f"/api/jobs/{row['id']}/cancel")


def on_channel(house: House, reference: str) -> None:
    """The newest job once more, on its own topic: that starts nothing, and its id is kept for it."""
    job = house.rows(NEWEST)[0]
    with phoenix(house.made.url) as client:
        client.join(job["id"])
        wanted = {"prompt": job["prompt"], "model": "stand-in", "request_id": reference}
        answer = client.ask(f"task:{job['id']}", "image_generate", wanted)["response"]
        assert answer["task_id"] == job["id"], answer


def project(house: House, reference: str) -> None:
    """One of the avatar door, renamed and deleted at once."""
    made = house.made.request("POST", "/api/avatar-creator/projects", json={"name": "faces"}).json()["id"]
    house.made.request("PATCH", f"/api/avatar-creator/projects/{made}", json={"name": "more faces"})
    house.made.request("DELETE", f"/api/avatar-creator/projects/{made}")


TO_MEET: dict[str, Callable[[House, str], None]] = {
    "cancel": cancel,
    "cancel_items": batch,
    "change_project": project,
    "create_project": project,
    "grant": grant,
    "hear": hear,
    "keep": on_channel,
    "keep_upload": upload,
    "refund": refund,
    "remove_project": project,
    "remove_upload": upload,
    "reserve_upload": upload,
    "resume": resume,
    "retry_now": retry,
    "submit_batch": batch,
}
"""By the use case whose commit is to be met."""
