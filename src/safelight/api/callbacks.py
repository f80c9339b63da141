"""Where providers announce what became of a call. That ends no job: the call's holder asks, and decides."""

from __future__ import annotations

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Body, Query

from safelight.api.context import Installation
from safelight.domain.errors import InvalidRequest, NotFound, Remedy, Unauthorized
from safelight.domain.ids import is_id
from safelight.providers.callbacks import is_genuine
from safelight.providers.protocol import Hears
from safelight.services.hear import News, hear

router = APIRouter(tags=["callbacks"])
log = structlog.get_logger(__name__)

ASKED_FOR = Remedy("Only the providers that were given this address are to call it: see docs/providers.md.")


@router.post("/api/callbacks/{provider}/{call_id}", summary="Hear from a provider")
async def hear_from(
    provider: str,
    call_id: str,
    safelight: Installation,
    body: Annotated[Any, Body()] = None,
    sig: Annotated[str, Query(max_length=100)] = "",
) -> dict[str, bool]:
    """Called by providers, at addresses that Safelight signed and gave to them. However often: it changes nothing."""
    if not is_genuine(safelight.secret, provider, call_id, sig):
        raise Unauthorized("The signature of this address is missing or wrong.", remedy=ASKED_FOR)
    adapter = safelight.providers.get(provider)
    if not is_id(call_id) or not isinstance(adapter, Hears):
        raise NotFound(f"Provider {provider[:40]!r} announces nothing here.", remedy=ASKED_FOR)
    remote_id = adapter.read_callback(body)
    if remote_id is None:
        raise InvalidRequest(f"The body is no announcement of {provider}.", remedy=ASKED_FOR)
    if not await safelight.database.write(hear, News(provider, remote_id, call_id)):
        raise NotFound(f"There is no call {call_id} to {provider} (any more).", remedy=ASKED_FOR)
    log.info("call.announced", provider=provider, call_id=call_id, remote_id=remote_id)
    return {"heard": True}
