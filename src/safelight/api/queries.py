"""Refuse what a call would not read: a parameter that is passed over in silence is a request done wrong."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant

from safelight.domain.errors import InvalidParams

LONGEST_NAME = 200


async def refuse_unknown_parameters(request: Request) -> None:
    """A dependency of every call. Raises InvalidParams with each query parameter that the call does not declare."""
    if not request.query_params:
        return
    declared = set(_declared(request.scope["route"].dependant))
    unknown = [name[:LONGEST_NAME] for name in request.query_params if name not in declared]
    if unknown:
        errors = {name: ["is not a parameter of this call"] for name in unknown}
        raise InvalidParams(f"{unknown[0]!r} is not a parameter of this call.", errors=errors)


def _declared(dependant: Dependant) -> Iterator[str]:
    """By the call itself and by what it depends on."""
    for parameter in dependant.query_params:
        yield parameter.alias
    for inner in dependant.dependencies:
        yield from _declared(inner)
