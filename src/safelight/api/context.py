"""What routes ask for: the open installation, who is calling, and under which address we are seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import structlog
from fastapi import Depends, Request

from safelight.api.errors import request_id_of
from safelight.app import Safelight
from safelight.services.credits import LOCAL_USER


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who calls, and how links are written for them."""

    user_id: str
    base: str
    request_id: str | None


async def installation(request: Request) -> Safelight:
    """Async although it awaits nothing: FastAPI would send a plain function through its thread pool."""
    found: Safelight = request.app.state.safelight
    return found


async def visitor(request: Request) -> Visitor:
    """Local mode, the only one so far: everybody who reaches the loopback address is the user `local`.

    From here on every log line of the request says who it is for, and about which job.
    """
    about = {"job_id": request.path_params["job_id"][:64]} if "job_id" in request.path_params else {}
    structlog.contextvars.bind_contextvars(user_id=LOCAL_USER, **about)
    return Visitor(LOCAL_USER, str(request.base_url).rstrip("/"), request_id_of(request))


Installation = Annotated[Safelight, Depends(installation)]
Caller = Annotated[Visitor, Depends(visitor)]
