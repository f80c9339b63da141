"""In which form a front door tells errors: by the beginning of its addresses, whoever raised them, route or middleware.

What is not listed gets `application/problem+json`. `errors.py` asks; nothing else needs to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from starlette.responses import Response
from starlette.types import Scope

from safelight.api import openai_errors, task_errors
from safelight.api.paths import own_path
from safelight.domain.errors import SafelightError

ErrorForm = Callable[[SafelightError, int, str | None], Response]
"""From an error, its status as our own API has it, and the request's id, to the answer. A form may change the status;
headers that belong to the status (`Retry-After`) are added after it."""

FORMS: Final[Mapping[str, ErrorForm]] = {
    "/api/tasks": task_errors.answer,
    "/socket": task_errors.answer,
    "/v1": openai_errors.answer,
}
"""By prefix: the address itself and everything below it."""


def form_for(scope: Scope) -> ErrorForm | None:
    """The form of the door at which a request knocked; None for our own API."""
    path = own_path(scope)
    return next((form for prefix, form in FORMS.items() if f"{path}/".startswith(f"{prefix}/")), None)
