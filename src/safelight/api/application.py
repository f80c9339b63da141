"""The FastAPI application over one open installation."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from fastapi import Depends, FastAPI
from starlette.middleware.cors import CORSMiddleware

from safelight import __version__
from safelight.api import (
    again,
    answers,
    assets,
    avatars,
    batches,
    callbacks,
    covers,
    credits,
    errors,
    explain,
    health,
    jobs,
    metrics,
    model_checks,
    models,
    openai_chat,
    openai_images,
    openai_models,
    own_jobs,
    phoenix_socket,
    providers,
    queue_health,
    recoveries,
    scenes,
    session,
    socket,
    sse,
    studio,
    tasks,
    uploads,
    webhooks,
)
from safelight.api.head import HeadAsGet
from safelight.api.middleware import LocalOnly, RequestContext
from safelight.api.pace import Pace
from safelight.api.proxies import BehindProxy, read_networks
from safelight.api.queries import refuse_unknown_parameters
from safelight.api.rules import SCHEMES, rules, security_of
from safelight.api.strict import StrictRequests
from safelight.api.waiting import WaitingRoom
from safelight.api.wording import Wording
from safelight.app import Safelight
from safelight.settings import Settings

SHOWN_TO_PAGES: Final = [
    "ETag",
    "Idempotency-Replayed",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
    "X-Safelight-Job",
    "X-Should-Retry",
]
"""What scripts of other origins may read of answers, beside what every browser allows."""


class _Application(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """Without FastAPI's own form of a validation error, which no route ever answers; with who may call what."""
        described = super().openapi()
        ruled = {(each.path, each.method): each.rule for each in rules(self)}
        for path, calls in described["paths"].items():
            for method, call in calls.items():
                call["responses"].pop("422", None)
                call["security"] = security_of(ruled[path, method.upper()], path)
                answers.describe(call, path, method, {"$ref": "#/components/schemas/Problem"})
        components = described.setdefault("components", {})
        components["securitySchemes"] = SCHEMES
        components.setdefault("schemas", {}).update(answers.SCHEMAS, Problem=errors.PROBLEM)
        for name in ("HTTPValidationError", "ValidationError"):
            described.get("components", {}).get("schemas", {}).pop(name, None)
        return described


def create_app(safelight: Safelight, *, comment_every_s: float = sse.COMMENT_EVERY_S, trusted: bool = False) -> FastAPI:
    """Routes and middleware; starting and stopping the installation is the caller's.

    A stream of events that has nothing to say says so every `comment_every_s`. `trusted` is for the operator's own
    process, where nobody else can call: everybody is the user `local`, whether or not there are keys.
    """
    app = _Application(
        title="Safelight",
        version=__version__,
        description="AI media generation that never leaves anyone in the dark.",
        docs_url=None,
        redoc_url=None,
        responses=errors.DOCUMENTED,
    )
    app.state.safelight = safelight
    app.state.comment_every_s = comment_every_s
    app.state.trusted = trusted
    app.state.wording = Wording(safelight)
    app.state.sockets = Counter[str]()
    app.state.waiting_room = WaitingRoom()
    app.state.failed_sign_ins = Pace(session.MOST_FAILURES, per_s=60.0)
    openai = (openai_images, openai_chat, openai_models)
    of_health = (webhooks, queue_health, metrics, health, providers, model_checks, recoveries)
    of_jobs = (jobs, own_jobs, batches, explain, again, sse, assets, uploads, models, credits, callbacks, session)
    doors = (tasks, avatars, covers, scenes, *openai)
    for part in (*of_jobs, *doors, *of_health):
        app.include_router(part.router, dependencies=[Depends(refuse_unknown_parameters)])
    for sockets in (socket, phoenix_socket):
        app.include_router(sockets.router)
    studio.install(app)
    errors.install(app)
    app.add_middleware(StrictRequests, streamed=frozenset({uploads.PATH, openai_images.EDITS}))
    app.add_middleware(HeadAsGet)
    settings = safelight.settings if safelight else Settings()
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"],
            allow_headers=["*"],  # OpenAI's own client sends a dozen of its own; a key is asked for all the same
            expose_headers=SHOWN_TO_PAGES,
            max_age=600,
        )
    app.add_middleware(
        LocalOnly,
        public_url=settings.public_url,
        is_local=safelight.keyring.is_local if safelight else None,
    )
    app.add_middleware(BehindProxy, trusted=read_networks(settings.trusted_proxies), public_url=settings.public_url)
    app.add_middleware(RequestContext, files_origin=lambda: safelight.files_origin if safelight else None)
    return app
