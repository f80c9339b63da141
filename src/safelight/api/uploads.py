"""Routes of uploads: bring a picture for jobs to start from, look at it, take it back."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from safelight.api import multipart
from safelight.api.context import Caller, Installation, Visitor
from safelight.api.errors import STATUS, refusal
from safelight.api.while_there import while_there
from safelight.app import Safelight
from safelight.domain.clock import as_rfc3339
from safelight.domain.errors import CallerError, InvalidParams, SafelightError
from safelight.domain.ids import is_id
from safelight.services import uploads
from safelight.services.presigned import Presigned, no_such_upload
from safelight.services.uploads import Upload
from safelight.storage.pictures import RefusedPicture

log = structlog.get_logger(__name__)
router = APIRouter(tags=["uploads"])

PATH = "/api/uploads"
_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [multipart.FIELD],
                    "properties": {multipart.FIELD: {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


@router.post(PATH, status_code=201, summary="Upload a picture", openapi_extra=_FORM)
async def upload(request: Request, safelight: Installation, caller: Caller) -> Response:
    """A PNG, JPEG or WebP in the field `file`, for `inputs` of jobs. Kept for a day, and as long as a job names it."""
    try:
        kept = await _keep(request, safelight, caller)
    except SafelightError as error:
        return _refusal(request, error)
    return JSONResponse(body(kept), 201, {"Location": f"{caller.base}{PATH}/{kept.id}"})


@router.post(f"{PATH}/presign", status_code=201, summary="Ask for an address to upload to")
async def presign(safelight: Installation, caller: Caller) -> dict[str, Any]:
    """Where files are kept in an object store: PUT the bytes to `url`, then POST to `complete`.

    Everywhere else `POST /api/uploads` is the way.
    """
    safelight.desk.refuse_on_full_disk()
    upload, url, lives_s = await Presigned(safelight.desk.intake).address(caller.user_id)
    return {
        "id": upload.id,
        "method": "PUT",
        "url": url,
        "url_lives_s": lives_s,
        "max_bytes": safelight.desk.intake.rules.most_bytes,
        "complete": f"{caller.base}{PATH}/{upload.id}/complete",
        "expires_at": upload.expires_at and as_rfc3339(upload.expires_at),
    }


@router.post(f"{PATH}/{{upload_id}}/complete", summary="Say that the bytes have come")
async def complete(upload_id: str, safelight: Installation, caller: Caller) -> dict[str, Any]:
    """They are looked at now; what is no picture is refused, and another may be put in its place."""
    if not is_id(upload_id):
        raise no_such_upload()
    try:
        return body(await Presigned(safelight.desk.intake).complete(upload_id, caller.user_id))
    except RefusedPicture as error:
        raise _refused(error) from error


@router.get(f"{PATH}/{{upload_id}}", summary="Look at an upload")
async def show_upload(upload_id: str, safelight: Installation, caller: Caller) -> dict[str, Any]:
    """What it is, and when it goes if no job uses it."""
    found = await safelight.database.read(uploads.upload_of, upload_id, caller.user_id) if is_id(upload_id) else None
    if found is None or found.stored_at is None:
        raise no_such_upload()
    return body(found)


@router.delete(f"{PATH}/{{upload_id}}", status_code=204, summary="Remove an upload")
async def remove_upload(upload_id: str, safelight: Installation, caller: Caller) -> None:
    """One that no job names. It is gone at once; its file follows soon."""
    removed = (
        await safelight.database.write(uploads.remove_upload, upload_id, caller.user_id) if is_id(upload_id) else None
    )
    if removed is None:
        raise no_such_upload()
    if isinstance(removed, CallerError):
        raise removed


def body(upload: Upload) -> dict[str, Any]:
    """An upload as its user sees it."""
    return {
        "id": upload.id,
        "mime": upload.mime,
        "bytes": upload.bytes,
        "width": upload.width,
        "height": upload.height,
        "expires_at": upload.expires_at and as_rfc3339(upload.expires_at),
    }


async def _keep(request: Request, safelight: Safelight, caller: Visitor) -> Upload:
    safelight.desk.refuse_on_full_disk()
    intake = safelight.desk.intake
    with intake.memory.share() as share:
        sent = await multipart.read_file(request, intake.rules.most_bytes, share)
        try:
            looked_at = intake.look_at(sent.data, sent.claimed)
            return await intake.keep(caller.user_id, await while_there(request, looked_at))
        except RefusedPicture as error:
            raise _refused(error) from error
        except ClientDisconnect as error:
            raise multipart.cut() from error


def _refusal(request: Request, error: SafelightError) -> Response:
    """The rest of a body that was refused is never read."""
    if STATUS[type(error)] >= 500:
        log.error("upload_failed", code=error.code, what=error.what, **{"evidence": error.evidence})
    answer = refusal(request.scope, error)
    answer.headers["Connection"] = "close"
    return answer


def _refused(error: RefusedPicture) -> InvalidParams:
    return InvalidParams(f"The file {error}.", errors={multipart.FIELD: [str(error)]})
