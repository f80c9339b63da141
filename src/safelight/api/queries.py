"""What stands behind the question mark: labels to look for, and nothing that the call would not read.

A parameter that is passed over in silence is a request done wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant

from safelight.api.bodies import LABEL_KEY, LONGEST_LABEL, MOST_LABELS, refuse
from safelight.api.credentials import TICKET
from safelight.domain.errors import InvalidParams

LONGEST_NAME = 200
LABEL = "label."


async def label_filters(request: Request) -> tuple[tuple[str, str], ...]:
    """Each `label.KEY=value`. Raises InvalidParams for what cannot be a label."""
    given = [(name.removeprefix(LABEL), value) for name, value in request.query_params.multi_items() if _is_label(name)]
    if len(given) > MOST_LABELS:
        refuse({"labels": f"at most {MOST_LABELS}, got {len(given)}"})
    keys = [key for key, _ in given]
    refuse({_name(key): why for key, value in given if (why := _wrong(key, value, keys))})
    return tuple(given)


def _wrong(key: str, value: str, keys: list[str]) -> str | None:
    if LABEL_KEY.fullmatch(key) is None:
        return "a key is 1-64 characters of a-z, 0-9 and _"
    if len(value) > LONGEST_LABEL:
        return f"is longer than {LONGEST_LABEL} characters, as no label is"
    return "stands there twice; a job has one value of each label" if keys.count(key) > 1 else None


def _name(key: str) -> str:
    return f"{LABEL}{key}"[:LONGEST_NAME]


def _is_label(name: str) -> bool:
    return name.startswith(LABEL)


Labels = Annotated[tuple[tuple[str, str], ...], Depends(label_filters)]
LABELS: Final[dict[str, Any]] = {
    "name": "labels",
    "in": "query",
    "description": "Only jobs that have all of these labels: `label.KEY=value`, several times.",
    "style": "form",
    "explode": True,
    "schema": {
        "type": "object",
        "patternProperties": {"^label\\.[a-z0-9_]{1,64}$": {"type": "string", "maxLength": LONGEST_LABEL}},
        "additionalProperties": False,
        "maxProperties": MOST_LABELS,
    },
}
"""The same for OpenAPI: an object whose members are the parameters."""


async def refuse_unknown_parameters(request: Request) -> None:
    """A dependency of every call. Raises InvalidParams with each query parameter that the call does not declare."""
    if not request.query_params:
        return
    declared = {TICKET, *_declared(request.scope["route"].dependant)}
    names = [name for name in request.query_params if not (LABEL in declared and _is_label(name))]
    unknown = [name[:LONGEST_NAME] for name in names if name not in declared]
    if unknown:
        errors = {name: ["is not a parameter of this call"] for name in unknown}
        raise InvalidParams(f"{unknown[0]!r} is not a parameter of this call.", errors=errors)


def _declared(dependant: Dependant) -> Iterator[str]:
    """By the call itself and by what it depends on."""
    for parameter in dependant.query_params:
        yield parameter.alias
    if dependant.call is label_filters:
        yield LABEL
    for inner in dependant.dependencies:
        yield from _declared(inner)
