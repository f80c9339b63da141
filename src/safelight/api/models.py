"""The models a user can ask for."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from safelight.api.context import Caller, Installation

router = APIRouter(tags=["models"])


@router.get("/api/models", summary="Every model")
async def list_models(safelight: Installation, caller: Caller) -> dict[str, Any]:
    """What each takes, costs and usually needs, and whether the caller can use it now."""
    return {"models": await safelight.desk.models(caller.user_id)}
