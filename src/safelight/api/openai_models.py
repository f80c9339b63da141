"""OpenAI's routes of models: those of pictures and texts that can be used now, by the names that requests take."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path

from safelight.api import openai_errors
from safelight.api.context import Caller, Installation
from safelight.domain.errors import UnknownModel

router = APIRouter(tags=["openai"], responses=openai_errors.DOCUMENTED)

SERVED: Final = ("image", "text")
"""Kinds that this door makes."""


@router.get("/v1/models", summary="Models, as OpenAI's API lists them")
async def list_models(safelight: Installation, caller: Caller) -> dict[str, Any]:
    """Those that the caller can use now; `GET /api/models` tells more of each."""
    found = await safelight.desk.models(caller.user_id)
    served = [_shown(model, model["id"]) for model in found if model["kind"] in SERVED and model["available"]]
    return {"object": "list", "data": served}


@router.get("/v1/models/{model:path}", summary="One model, as OpenAI's API shows it")
async def show_model(
    model: Annotated[str, Path(max_length=200)], safelight: Installation, caller: Caller
) -> dict[str, Any]:
    """By its id or an alias, whether or not it can be used now."""
    found = [each for each in await safelight.desk.models(caller.user_id) if each["kind"] in SERVED]
    for each in found:
        if model == each["id"] or model in each["aliases"]:
            return _shown(each, model)
    raise UnknownModel(model=model, kind="image or text", supported=[each["id"] for each in found], did_you_mean=None)


def _shown(model: dict[str, Any], name: str) -> dict[str, Any]:
    """`created` is there because clients expect a number; the catalog does not know when a model was made."""
    owner = model["providers"][0] if model["providers"] else "safelight"
    return {"id": name, "object": "model", "created": 0, "owned_by": owner, "kind": model["kind"]}
