"""Routes of avatars: projects, and jobs that belong to them by their labels."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from safelight.api import cursors
from safelight.api.accepting import headers_of, submitter
from safelight.api.avatar_words import NAME, avatar, generation, project_body
from safelight.api.context import Caller, Installation, Visitor
from safelight.api.input_bodies import Body
from safelight.api.labelled import page_of
from safelight.api.manner import Key
from safelight.api.task_bodies import Asked
from safelight.app import Safelight
from safelight.domain.errors import Conflict, NotFound, Remedy
from safelight.domain.ids import is_id, new_id
from safelight.domain.jobs import Status
from safelight.services import projects
from safelight.services.projects import LABEL, Project
from safelight.services.read_jobs import JobDetails

ROOT: Final = "/api/avatar-creator"
KIND: Final = ("image_type", "avatar")
PROJECTS: Final = "p"
"""The list that cursors of projects belong to."""

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S", description="What it is called.")]
Description = Annotated[str, Field(max_length=2_000)]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=100)]

router = APIRouter(tags=["avatars"])


class NewProject(Body):
    """A project to be made."""

    name: Name
    description: Description = ""


class ChangedProject(Body):
    """What is to be changed of a project."""

    name: Name | None = None
    description: Description | None = None


class GenerateAvatar(Asked):
    """What to make. Every field that is not named here is a parameter of the model."""

    name: Name


@router.post(f"{ROOT}/projects", status_code=201, summary="Make a project")
async def create_project(body: NewProject, safelight: Installation, caller: Caller) -> dict[str, Any]:
    """It gathers the avatars that are made in it."""
    made = await safelight.database.write(
        projects.create_project, new_id(), caller.user_id, body.name.strip(), body.description
    )
    return project_body(made)


@router.get(f"{ROOT}/projects", summary="List projects, newest first")
async def list_projects(
    safelight: Installation, caller: Caller, limit: Limit = 50, cursor: Cursor = None
) -> dict[str, Any]:
    before = cursors.read(cursor, PROJECTS)
    found, more = await safelight.database.read(projects.project_page, caller.user_id, limit, before)
    return {"projects": [project_body(each) for each in found], "nextCursor": cursors.written(more, PROJECTS)}


@router.get(f"{ROOT}/projects/{{project_id}}", summary="A project and all that is made in it")
async def show_project(
    project_id: str, safelight: Installation, caller: Caller, limit: Limit = 50, cursor: Cursor = None
) -> dict[str, Any]:
    """Its avatars, and what is unfinished or has failed, with its error and the credits that went back.

    What is unfinished is on the first page, however old it is.
    """
    project = await _project(safelight, project_id, caller)
    labels = ((LABEL, project.id), KIND)
    found, more = await page_of(safelight, caller.user_id, labels, limit, cursors.read(cursor))
    bodies = [safelight.desk.body(details, caller.base) for details in found]
    cover = safelight.links_for(caller.base).cover
    made = [body for body in bodies if body["status"] == Status.COMPLETED]
    others = [body for body in bodies if body["status"] != Status.COMPLETED]
    return {
        **project_body(project),
        "avatars": [avatar(body, cover(body["id"])) for body in made],
        "generations": [generation(body) for body in others],
        "nextCursor": cursors.written(more),
    }


@router.patch(f"{ROOT}/projects/{{project_id}}", summary="Rename a project or describe it anew")
@router.put(f"{ROOT}/projects/{{project_id}}", include_in_schema=False)
async def change_project(
    project_id: str, body: ChangedProject, safelight: Installation, caller: Caller
) -> dict[str, Any]:
    """What is left out stays as it is."""
    changes = body.model_dump(exclude_none=True)
    found = await safelight.database.write(projects.change_project, project_id, caller.user_id, changes)
    if found is None:
        raise _no_such("project", project_id)
    return project_body(found)


@router.delete(f"{ROOT}/projects/{{project_id}}", status_code=204, summary="Delete a project")
async def remove_project(project_id: str, safelight: Installation, caller: Caller) -> Response:
    """Refused while something in it is unfinished. What was made stays among your jobs."""
    removed = await safelight.database.write(projects.remove_project, project_id, caller.user_id)
    if isinstance(removed, Conflict):
        raise removed
    if not removed:
        raise _no_such("project", project_id)
    return Response(status_code=204)


@router.post(f"{ROOT}/projects/{{project_id}}/generate", summary="Make an avatar")
@router.post(f"{ROOT}/projects/{{project_id}}/avatars/generate", include_in_schema=False)
async def generate_avatar(
    project_id: str, body: GenerateAvatar, safelight: Installation, caller: Caller, idempotency_key: Key = None
) -> JSONResponse:
    """An ordinary image job with the labels `project_id`, `avatar_name` and `image_type`."""
    project = await _project(safelight, project_id, caller)
    asked = body.as_request("image")
    labels = {**asked.labels, LABEL: project.id, NAME: body.name.strip(), KIND[0]: KIND[1]}
    accepted = await safelight.desk.submit(replace(asked, labels=labels), submitter(caller, idempotency_key))
    headers = await headers_of(safelight, caller, accepted)
    return JSONResponse(generation(safelight.desk.body(accepted.details, caller.base)), 200, headers)


@router.get(f"{ROOT}/generations/{{generation_id}}", summary="Look at a generation")
async def show_generation(generation_id: str, safelight: Installation, caller: Caller) -> dict[str, Any]:
    details = await _generation(safelight, generation_id, caller, "generation")
    return generation(safelight.desk.body(details, caller.base))


@router.get(f"{ROOT}/avatars/{{avatar_id}}", summary="Look at an avatar")
async def show_avatar(avatar_id: str, safelight: Installation, caller: Caller) -> dict[str, Any]:
    details = await _generation(safelight, avatar_id, caller, "avatar")
    if details.job.status != Status.COMPLETED:
        raise _no_such("avatar", avatar_id)
    return avatar(safelight.desk.body(details, caller.base), safelight.links_for(caller.base).cover(avatar_id))


async def _project(safelight: Safelight, project_id: str, caller: Visitor) -> Project:
    read = safelight.database.read
    found = await read(projects.project, project_id, caller.user_id) if is_id(project_id) else None
    if found is None:
        raise _no_such("project", project_id)
    return found


async def _generation(safelight: Safelight, job_id: str, caller: Visitor, what: str) -> JobDetails:
    try:
        details = await safelight.desk.job(job_id, caller.user_id)
    except NotFound as error:
        raise _no_such(what, job_id) from error
    if json.loads(details.job.labels).get(KIND[0]) != KIND[1]:
        raise _no_such(what, job_id)
    return details


def _no_such(what: str, given: str) -> NotFound:
    return NotFound(f"There is no {what} {given[:64]!r}.", remedy=Remedy(f"GET {ROOT}/projects lists what is yours."))
