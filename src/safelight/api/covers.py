"""The square thumbnail of an avatar, cut from its picture when it is asked for; browsers and proxies keep it."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from safelight.api.assets import Expiry, Signature, check_signature
from safelight.api.context import Installation
from safelight.api.etags import unchanged
from safelight.domain.errors import Gone, NotFound, Remedy
from safelight.domain.ids import is_id
from safelight.services import read_jobs
from safelight.storage import images

CACHE: Final = "private, max-age=86400, immutable"
AT_ONCE: Final = 2
"""So many are cut at a time: each takes a picture's memory and some processor time."""
MOST_BYTES: Final = 64 * 2**20

router = APIRouter(tags=["avatars"])
_cutting = asyncio.Semaphore(AT_ONCE)


@router.get(
    "/api/avatar-creator/avatars/{avatar_id}/thumbnail",
    summary="A square thumbnail of an avatar",
    response_class=Response,
    responses={200: {"content": {"image/webp": {}}}},
)
async def show_cover(
    avatar_id: str, request: Request, safelight: Installation, exp: Expiry = "", sig: Signature = ""
) -> Response:
    """300 by 300 pixels from the middle of the picture. Its address is signed, like that of a file."""
    check_signature(safelight, request, exp, sig, of="thumbnail", fresh_from="the avatar itself")
    found = await safelight.database.read(read_jobs.job_details, avatar_id, None) if is_id(avatar_id) else None
    if found is None or not found.assets or not found.assets[0].mime.startswith("image/"):
        raise NotFound("There is no such avatar.")
    asset = found.assets[0]
    headers: dict[str, Any] = {"ETag": f'"{asset.sha256[:32]}-cover"', "Cache-Control": CACHE}
    if unchanged(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    stored = await safelight.store.head(asset.key)
    if stored is None or stored.size_bytes > MOST_BYTES:
        raise Gone("The picture is no longer in storage.", remedy=Remedy("Generate it again."))
    async with _cutting:
        data = await safelight.store.get(asset.key, (0, stored.size_bytes))
        return Response(await asyncio.to_thread(images.cover, data), media_type="image/webp", headers=headers)
