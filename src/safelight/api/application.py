"""The FastAPI application over one open installation."""

from __future__ import annotations

from fastapi import FastAPI

from safelight import __version__
from safelight.api import assets, errors, health, jobs, models, sse, studio
from safelight.api.middleware import BodyLimit, LocalOnly, RequestContext
from safelight.app import Safelight


def create_app(safelight: Safelight) -> FastAPI:
    """Routes and middleware; starting and stopping the installation is the caller's."""
    app = FastAPI(
        title="Safelight",
        version=__version__,
        description="AI media generation that never leaves anyone in the dark.",
        docs_url=None,
        redoc_url=None,
    )
    app.state.safelight = safelight
    for part in (jobs, sse, assets, models, health):
        app.include_router(part.router)
    studio.install(app)
    errors.install(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(LocalOnly)
    app.add_middleware(RequestContext)
    return app
