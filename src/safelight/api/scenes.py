"""Routes of scenes and characters: pictures of a chapter's scenes, and of those who appear in them.

Each is an ordinary image job, found again by its labels. Clients ask where it is until it says `completed` or `failed`.
"""

from __future__ import annotations

import time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from safelight.api import cursors
from safelight.api.accepting import headers_of, submitter
from safelight.api.context import Caller, Installation, Visitor
from safelight.api.etags import unchanged
from safelight.api.input_bodies import Body
from safelight.api.labelled import Labels, newest, page_of
from safelight.api.manner import Key
from safelight.api.scene_words import queued, record
from safelight.app import Safelight
from safelight.domain.errors import NotFound, Remedy
from safelight.domain.jobs import LIVE
from safelight.services import job_pages
from safelight.services.prepare import JobRequest
from safelight.storage import signing

ROOT: Final = "/api/v1"
POLL_EVERY_S: Final = 3

Id = Annotated[str, Path(min_length=1, max_length=256)]
Scene = Annotated[int, Path(ge=0, le=10**9)]
Text = Annotated[str, Field(max_length=8_000)]

router = APIRouter(tags=["scenes"])


class _Picture(Body):
    """What both kinds of pictures may have."""

    style: Annotated[str, Field(max_length=500)] | None = Field(None, description="Said after the description.")
    aspect_ratio: str | None = None
    custom_prompt: Text | None = Field(None, description="The prompt as it is, instead of description and style.")
    model: str | None = Field(None, max_length=200, description="Default: that of images.")

    def request(self, description: str, labels: dict[str, str]) -> JobRequest:
        styled = f"{description}, {self.style}" if self.style else description
        params = {} if self.aspect_ratio is None else {"aspect_ratio": self.aspect_ratio}
        prompt = self.custom_prompt or styled
        return JobRequest(kind="image", prompt=prompt, model=self.model, params=params, labels=labels)


class SceneImage(_Picture):
    """A picture of a scene."""

    scene_description: Text
    script_id: Annotated[str, Field(max_length=256)] | None = None


class CharacterImage(_Picture):
    """A picture of a character."""

    description: Text


@router.post(f"{ROOT}/chapters/{{chapter_id}}/images/scenes/{{scene_number}}", summary="Make a scene's picture")
async def draw_scene(
    chapter_id: Id,
    scene_number: Scene,
    body: SceneImage,
    safelight: Installation,
    caller: Caller,
    idempotency_key: Key = None,
) -> JSONResponse:
    """Each call makes a new picture, and the newest is the scene's; the same `Idempotency-Key` is the same picture."""
    labels = dict(_of_scene(chapter_id, scene_number))
    if body.script_id is not None:
        labels["script_id"] = body.script_id
    return await _submitted(safelight, caller, body.request(body.scene_description, labels), idempotency_key)


@router.get(
    f"{ROOT}/chapters/{{chapter_id}}/images/scenes/{{scene_number}}/status", summary="Where a scene's picture is"
)
async def scene_status(
    chapter_id: Id, scene_number: Scene, request: Request, safelight: Installation, caller: Caller
) -> Response:
    """Of its newest job. Send the `ETag` back: unchanged costs a 304. `completed` and `failed` are the end."""
    return await _status(safelight, caller, request, _of_scene(chapter_id, scene_number))


@router.get(f"{ROOT}/chapters/{{chapter_id}}/images", summary="All pictures of a chapter, newest first")
async def chapter_images(
    chapter_id: Id,
    safelight: Installation,
    caller: Caller,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> dict[str, Any]:
    """Finished, failed and unfinished; the latter are all on the first page, however old."""
    labels = (("chapter_id", chapter_id),)
    found, more = await page_of(safelight, caller.user_id, labels, limit, cursors.read(cursor))
    total = await safelight.database.read(job_pages.labelled, caller.user_id, *labels[0])
    images = [record(safelight.desk.body(details, caller.base)) for details in found]
    return {"chapter_id": chapter_id, "images": images, "total_count": total, "nextCursor": cursors.written(more)}


@router.post(f"{ROOT}/characters/{{character_id}}/images", summary="Make a character's picture")
async def draw_character(
    character_id: Id, body: CharacterImage, safelight: Installation, caller: Caller, idempotency_key: Key = None
) -> JSONResponse:
    request = body.request(body.description, dict(_of_character(character_id)))
    return await _submitted(safelight, caller, request, idempotency_key)


@router.get(f"{ROOT}/characters/{{character_id}}/images/status", summary="A character's picture")
async def character_status(character_id: Id, request: Request, safelight: Installation, caller: Caller) -> Response:
    """Of their newest job, as for a scene."""
    return await _status(safelight, caller, request, _of_character(character_id))


def _of_scene(chapter_id: str, scene_number: int) -> Labels:
    return (("chapter_id", chapter_id), ("scene_number", str(scene_number)), ("image_type", "scene"))


def _of_character(character_id: str) -> Labels:
    return (("character_id", character_id), ("image_type", "character"))


async def _submitted(safelight: Safelight, caller: Visitor, asked: JobRequest, key: str | None) -> JSONResponse:
    accepted = await safelight.desk.submit(asked, submitter(caller, key))
    model = safelight.catalog.get(accepted.details.job.model)
    body = safelight.desk.body(accepted.details, caller.base)
    headers = await headers_of(safelight, caller, accepted)
    return JSONResponse(queued(body, model.typical_s if model else 0.0), 200, headers)


async def _status(safelight: Safelight, caller: Visitor, request: Request, labels: Labels) -> Response:
    details = await newest(safelight, caller.user_id, labels)
    if details is None:
        raise NotFound("No picture was asked for here.", remedy=Remedy("Ask for one with POST."))
    job = details.job
    hour = signing.hour(time.time())
    etag = f'W/"{job.id}-{job.sequence}-{details.ahead}-{hour}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if job.status in LIVE:
        headers["Retry-After"] = str(POLL_EVERY_S)
    if unchanged(request, etag):
        return Response(status_code=304, headers=headers)
    return JSONResponse(record(safelight.desk.body(details, caller.base)), 200, headers)
