"""OpenAI's routes of pictures: a job each, waited for, and answered with its files."""

from __future__ import annotations

import base64
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from safelight.api import openai_errors, openai_form
from safelight.api.context import Installation
from safelight.api.errors import invalid, refusal
from safelight.api.openai_images_body import ImageAsked, of_form
from safelight.api.openai_submit import Asker, ended, goes_on, submitted
from safelight.app import Safelight
from safelight.domain.errors import SafelightError
from safelight.domain.jobs import Status
from safelight.services.inputs import InputRef
from safelight.services.prepare import Caller as Submitter
from safelight.services.read_jobs import JobDetails

router = APIRouter(tags=["openai"], responses=openai_errors.DOCUMENTED)

EDITS: Final = "/v1/images/edits"
_FILE: Final = {"type": "string", "format": "binary"}
_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["image", "prompt"],
                    "properties": {
                        "image": {"oneOf": [_FILE, {"type": "array", "items": _FILE}]},
                        "mask": _FILE,
                        "prompt": {"type": "string"},
                        "model": {"type": "string"},
                        "n": {"type": "integer"},
                        "size": {"type": "string"},
                        "response_format": {"type": "string", "enum": ["b64_json", "url"]},
                    },
                }
            }
        },
    }
}


@router.post("/v1/images/generations", summary="Make pictures, as OpenAI's API does")
async def generate(body: ImageAsked, request: Request, safelight: Installation, asker: Asker) -> Response:
    """The same job as `POST /api/jobs` makes; answers when it has ended. Who hangs up does not cancel it."""
    return await _answered(request, safelight, asker, body, ())


@router.post(EDITS, summary="Change pictures, as OpenAI's API does", openapi_extra=_FORM)
async def edit(request: Request, safelight: Installation, asker: Asker) -> Response:
    """A form with `image` (or several `image[]`), `mask` and the fields of a generation."""
    try:
        safelight.desk.refuse_on_full_disk()
        form = await openai_form.read_edit(request, safelight, asker.user_id)
        asked = ImageAsked.model_validate(of_form(form.fields))
    except ValidationError as error:
        return refusal(request.scope, invalid(error.errors()))
    except SafelightError as error:
        answer = refusal(request.scope, error)
        answer.headers["Connection"] = "close"  # the rest of a body that was refused is never read
        return answer
    return await _answered(request, safelight, asker, asked, form.inputs)


async def _answered(
    request: Request, safelight: Safelight, asker: Submitter, asked: ImageAsked, inputs: tuple[InputRef, ...]
) -> Response:
    details = await submitted(safelight, asked.as_request(inputs), asker)
    try:
        details = await ended(request, safelight, details, asker.user_id)
    except ClientDisconnect:
        return Response(status_code=499)  # nobody reads it
    body = safelight.desk.body(details, asker.base)
    if details.job.status != Status.COMPLETED:
        return openai_errors.of_job(body)
    try:
        data = await _data(safelight, details, body, asked.response_format)
    except SafelightError as error:
        raise goes_on(details.job.id, error.what) from error
    return JSONResponse({"created": int(details.job.created_at), "data": data}, headers={"x-safelight-job": body["id"]})


async def _data(
    safelight: Safelight, details: JobDetails, body: dict[str, Any], wanted: str | None
) -> list[dict[str, Any]]:
    """Each file by its address, or in the answer itself; both where neither was asked for. Raises StorageFailed."""
    data: list[dict[str, Any]] = []
    with safelight.desk.intake.memory.share() as share:
        for row, shown in zip(details.assets, body["assets"], strict=True):
            told: dict[str, Any] = {} if wanted == "b64_json" else {"url": shown["url"]}
            if wanted != "url":
                share.take(row.bytes)
                told["b64_json"] = base64.b64encode(await safelight.store.get(row.key)).decode()
            data.append(told)
    return data
