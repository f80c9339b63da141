"""Files: pictures, thumbnails, previews and what users brought, by signed URLs that expire."""

from __future__ import annotations

import base64
import time
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from starlette.background import BackgroundTask

from safelight.api.context import Caller, Installation
from safelight.api.errors import refusal
from safelight.api.etags import unchanged
from safelight.api.head import asked_for_head
from safelight.api.paths import own_path
from safelight.app import Safelight
from safelight.domain.errors import Forbidden, Gone, InvalidRequest, NotFound, Remedy
from safelight.domain.ids import is_id
from safelight.services import read_jobs, uploads
from safelight.services.read_jobs import AssetFile
from safelight.storage import signing
from safelight.storage.assets import StoredObject
from safelight.storage.keys import EXTENSIONS
from safelight.storage.ranges import ByteRange, Unsatisfiable, parse_range

log = structlog.get_logger(__name__)
router = APIRouter(tags=["assets"])

Expiry = Annotated[str, Query(max_length=20)]
Signature = Annotated[str, Query(max_length=100)]
CACHE = "private, max-age=3600, immutable"
STORE_URL_LIFETIME_S = 3600
REDIRECT_CACHE = "private, max-age=1800"
"""Of a redirect to the store: half as long as the address it leads to."""


@router.get("/api/assets/{asset_id}", summary="A file", response_class=StreamingResponse)
async def show_asset(
    asset_id: str, request: Request, safelight: Installation, exp: Expiry = "", sig: Signature = ""
) -> Response:
    """The bytes, whole or one range of them; files in an object store by a redirect to its own signed address."""
    check_signature(safelight, request, exp, sig)
    asset = await _asset(safelight, asset_id)
    stored = await safelight.store.head(asset.key)
    if stored is not None and stored.size_bytes != asset.bytes:
        log.error("asset_damaged", asset=asset.id, key=asset.key, size_bytes=stored.size_bytes, expected=asset.bytes)
        raise Gone("The file in storage is not what was delivered.", remedy=Remedy("Generate it again."))
    return await _send(safelight, request, stored, asset.mime, asset.sha256, _file_name(asset))


@router.get("/api/assets/{asset_id}/thumbnail", summary="Its thumbnail", response_class=StreamingResponse)
async def show_thumbnail(
    asset_id: str, request: Request, safelight: Installation, exp: Expiry = "", sig: Signature = ""
) -> Response:
    """A WebP of at most 384 px."""
    check_signature(safelight, request, exp, sig)
    asset = await _asset(safelight, asset_id)
    if asset.thumbnail_key is None:
        raise NotFound("This file has no thumbnail.")
    stored = await safelight.store.head(asset.thumbnail_key)
    return await _send(safelight, request, stored, "image/webp", f"{asset.sha256[:32]}-thumb", None)


@router.get("/api/uploads/{upload_id}/file", summary="The picture of an upload", response_class=StreamingResponse)
async def show_uploaded(
    upload_id: str, request: Request, safelight: Installation, exp: Expiry = "", sig: Signature = ""
) -> Response:
    """What a job started from, by the address that stands with its inputs."""
    check_signature(safelight, request, exp, sig)
    found = await safelight.database.read(uploads.upload_file, upload_id) if is_id(upload_id) else None
    if found is None:
        raise NotFound("There is no such file.")
    return await _send(safelight, request, await safelight.store.head(found.key), found.mime, found.sha256, None)


@router.delete("/api/assets/{asset_id}", status_code=204, summary="Delete a file")
async def delete_asset(asset_id: str, safelight: Installation, caller: Caller) -> Response:
    """One file of an ended job, with its thumbnail; the job stays, without it."""
    doomed = await safelight.desk.remove_asset(asset_id, caller.user_id)
    return Response(status_code=204, background=BackgroundTask(safelight.pruner.finish, files=[doomed]))


@router.get("/api/jobs/{job_id}/previews/{sequence}", summary="A preview of a running job", include_in_schema=False)
async def show_preview(
    job_id: str, sequence: int, request: Request, safelight: Installation, exp: Expiry = "", sig: Signature = ""
) -> Response:
    """The newest preview; gone when the job has ended."""
    check_signature(safelight, request, exp, sig)
    found = await safelight.database.read(read_jobs.preview, job_id)
    if found is None:
        raise Gone("The preview is gone: the job has moved on.", remedy=Remedy("Look at the job itself."))
    return Response(base64.b64decode(found.data), media_type=found.mime, headers={"Cache-Control": CACHE})


def check_signature(
    safelight: Safelight,
    request: Request,
    exp: str,
    sig: str,
    *,
    of: str = "file",
    fresh_from: str = "GET /api/jobs/{id}",
) -> None:
    """Raises Forbidden unless the address is one that we have handed out, and its time is not over."""
    if signing.verify(safelight.secret, own_path(request.scope), exp=exp, sig=sig, now_s=time.time()):
        return
    raise Forbidden(
        f"This address of a {of} has expired, or its signature is wrong.",
        remedy=Remedy(f"Get a fresh one from {fresh_from}; they hold for a day."),
    )


async def _asset(safelight: Safelight, asset_id: str) -> AssetFile:
    found = await safelight.database.read(read_jobs.asset_file, asset_id) if is_id(asset_id) else None
    if found is None:
        raise NotFound("There is no such file.")
    return found


async def _send(
    safelight: Safelight, request: Request, stored: StoredObject | None, mime: str, tag: str, name: str | None
) -> Response:
    if stored is None:
        raise Gone("The file is no longer in storage.", remedy=Remedy("Generate it again."))
    etag = f'"{tag}"'
    headers = {"ETag": etag, "Accept-Ranges": "bytes", "Cache-Control": CACHE}
    if name:
        headers["Content-Disposition"] = f'inline; filename="{name}"'
    if unchanged(request, etag):
        return Response(status_code=304, headers=headers)
    if safelight.settings.storage_redirect and not asked_for_head(request.scope):
        url = await safelight.store.signed_url(stored.key, STORE_URL_LIFETIME_S)
        if url is not None:
            return RedirectResponse(url, 307, {"Cache-Control": REDIRECT_CACHE})
    size = stored.size_bytes
    asked = parse_range(request.headers.get("range"), size) if _range_still_fits(request, etag) else None
    if isinstance(asked, Unsatisfiable):
        answer = refusal(request.scope, _no_such_bytes(size), status=416)
        answer.headers["Content-Range"] = asked.content_range
        return answer
    span = (asked.start, asked.end) if isinstance(asked, ByteRange) else (0, size)
    headers["Content-Length"] = str(span[1] - span[0])
    if isinstance(asked, ByteRange):
        headers["Content-Range"] = asked.content_range
    stream = safelight.store.stream(stored.key, span if asked else None)
    return StreamingResponse(stream, 206 if asked else 200, headers, media_type=mime)


def _no_such_bytes(size: int) -> InvalidRequest:
    return InvalidRequest(f"The file has {size} bytes; none of them are in this range.", remedy=Remedy("Ask for less."))


def _range_still_fits(request: Request, etag: str) -> bool:
    """If-Range: a part is only useful to one who has the other parts of the same file."""
    return request.headers.get("if-range", etag) == etag


def _file_name(asset: AssetFile) -> str:
    return f"safelight-{asset.job_id[:8]}-{asset.id[-4:]}.{EXTENSIONS.get(asset.mime, 'bin')}"
