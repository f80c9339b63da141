"""The error of an ended job, as it is stored and shown: what happened, what to do, and the provider's own words."""

from __future__ import annotations

from typing import Final

from safelight.domain.outcomes import ProviderError
from safelight.domain.text import presentable
from safelight.services.sql import as_json

REMEDIES: Final = {
    "invalid_request": "Change the request: the provider cannot take it as it is.",
    "content_rejected": "Change the prompt: the provider's rules do not allow it.",
    "unauthorized": "Ask the operator to check the provider's key.",
    "out_of_credit": "Ask the operator to fill up the provider's account.",
    "spend_ceiling": "Ask for less, or ask the operator to raise the provider's daily ceiling.",
    "model_retired": "Use another model.",
    "retries_exhausted": "Retry later, or use another model.",
    "deadline_exceeded": "Retry it, or ask for less at once.",
    "storage_failed": "Ask the operator to check the storage, then retry.",
    "provider_unknown": "The provider may have made it all the same. Retry if you still need it.",
    "items_failed": "Look at its items: each says why. Then retry it.",
    "failed_by_operator": "Retry it, if it is still wanted.",
    "internal": "Retry it. If it happens again, report it with the request id.",
}
RETRYABLE: Final = frozenset(
    {
        "retries_exhausted",
        "deadline_exceeded",
        "storage_failed",
        "provider_unknown",
        "items_failed",
        "failed_by_operator",
        "internal",
    }
)


def error_json(
    code: str,
    message: str,
    provider: str | None = None,
    error: ProviderError | None = None,
    *,
    remedy: str | None = None,
) -> str:
    """The JSON of a job's error. Each code has its remedy; a more particular one may take its place."""
    return as_json(
        {
            "code": code,
            "message": presentable(message),
            "remedy": remedy or REMEDIES.get(code, "Retry it later."),
            "retryable": code in RETRYABLE,
            "provider": provider,
            "provider_code": error.provider_code if error else None,
            "provider_message": error.message if error else None,
            "provider_request_id": error.request_id if error else None,
        }
    )
