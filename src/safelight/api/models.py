"""The models a user can ask for."""

from __future__ import annotations

import hashlib
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from safelight.api.context import Caller, Installation
from safelight.api.etags import unchanged

router = APIRouter(tags=["models"])


@router.get("/api/models", summary="Every model")
async def list_models(request: Request, safelight: Installation, caller: Caller) -> Response:
    """What each takes, costs and usually needs, and whether the caller can use it now; 304 if nothing changed."""
    body: dict[str, Any] = {"models": await safelight.desk.models(caller.user_id)}
    answer = JSONResponse(body)
    etag = f'W/"{hashlib.sha256(bytes(answer.body)).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if unchanged(request, etag):
        return Response(status_code=304, headers=headers)
    answer.headers.update(headers)
    return answer
