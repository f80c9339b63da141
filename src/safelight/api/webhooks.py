"""Routes of outgoing webhooks: the secret that signs them, and what came of each."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from safelight.api.context import Caller, Installation, Onlooker
from safelight.domain.clock import as_rfc3339
from safelight.domain.ids import is_id
from safelight.events.webhooks import new_secret
from safelight.services import deliveries, webhook_secrets
from safelight.services.deliveries import Delivery, Try
from safelight.services.desk import no_such_job
from safelight.services.webhook_secrets import Secrets

router = APIRouter(tags=["webhooks"])


@router.get("/api/webhooks/secret", summary="What signs your webhooks")
async def show_secret(safelight: Installation, caller: Caller) -> dict[str, Any]:
    """Give it to whoever verifies the `webhook-signature` of what is sent to your callbacks. Made at first sight."""
    found = await safelight.database.read(webhook_secrets.known, caller.user_id)
    if found is None:
        found = await safelight.database.write(webhook_secrets.ensure_secret, caller.user_id, new_secret())
    return _secret(found)


@router.post("/api/webhooks/rotate", summary="Sign with a new secret")
async def rotate_secret(safelight: Installation, caller: Caller) -> dict[str, Any]:
    """The secret of before goes on signing beside the new one for a day."""
    return _secret(await safelight.database.write(webhook_secrets.rotate_secret, caller.user_id, new_secret()))


@router.get("/api/jobs/{job_id}/deliveries", summary="What a job's callback was told")
async def list_deliveries(job_id: str, safelight: Installation, caller: Onlooker) -> dict[str, Any]:
    """Each event that the callback is told, in order, with every try."""
    known = is_id(job_id)
    found = await safelight.database.read(deliveries.of_job, job_id, caller.user_id) if known else None
    if found is None:
        raise no_such_job(job_id)
    return {"deliveries": [_delivery(delivery, tries) for delivery, tries in found]}


def _secret(found: Secrets) -> dict[str, Any]:
    return {"secret": found.secret, "previous_signs_until": None if found.until is None else as_rfc3339(found.until)}


def _delivery(delivery: Delivery, tries: list[Try]) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "type": delivery.type,
        "sequence": delivery.sequence,
        "url": delivery.url,
        "state": delivery.state,
        "due_at": None if delivery.due_at is None else as_rfc3339(delivery.due_at),
        "created_at": as_rfc3339(delivery.created_at),
        "ended_at": None if delivery.ended_at is None else as_rfc3339(delivery.ended_at),
        "tries": [
            {"n": each.n, "at": as_rfc3339(each.at), "took_s": each.took_s, "status": each.status, "error": each.error}
            for each in tries
        ],
    }
