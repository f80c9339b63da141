"""The studio's files and the documentation page."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from safelight.web import STATIC

router = APIRouter(include_in_schema=False)

NO_CACHE = {"Cache-Control": "no-cache"}
"""Browsers keep files but ask whether they changed: an upgrade is seen at once."""


class _Revalidated(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers.update(NO_CACHE)
        return answer


def install(app: FastAPI) -> None:
    app.include_router(router)
    app.mount("/static", _Revalidated(directory=STATIC), name="static")


@router.get("/")
async def studio() -> FileResponse:
    """One page; what it shows depends on its address."""
    return FileResponse(STATIC / "index.html", headers=NO_CACHE)


@router.get("/jobs/{job_id}")
async def job_page() -> HTMLResponse:
    """The same page one step deeper. Its addresses are relative: a proxy may show us under any path."""
    page = (STATIC / "index.html").read_text("utf-8")
    return HTMLResponse(page.replace('<base href="./">', '<base href="../">', 1), headers=NO_CACHE)


@router.get("/docs")
async def docs() -> FileResponse:
    """Reads /openapi.json; loads nothing from elsewhere."""
    return FileResponse(STATIC / "docs.html", headers=NO_CACHE)


@router.get("/favicon.ico")
async def favicon() -> RedirectResponse:
    return RedirectResponse("static/favicon.svg")
