"""How a submit is to be answered: once for each key, without doing it, or when the job has ended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Header, Query

LONGEST_WAIT_S: Final = 60
_WAIT = re.compile(r"\s*wait\s*=\s*\"?(\d{1,9})\"?\s*(?:;.*)?", re.IGNORECASE)

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="The same key and body give the same job.",
    ),
]


@dataclass(frozen=True, slots=True)
class Wishes:
    """`wait_s`: so long the answer may wait for the job's end; 0 for no wait."""

    key: str | None
    wait_s: int
    dry_run: bool


async def wishes(
    idempotency_key: Key = None,
    prefer: Annotated[
        str | None,
        Header(
            alias="Prefer",
            description="`wait=N`: 200 with the ended job if it ends within N seconds (1 to 60), else 202.",
        ),
    ] = None,
    dry_run: Annotated[bool, Query(description="Check it, price it, predict it; make nothing.")] = False,
) -> Wishes:
    """What a caller wishes of any route that makes a job from a body."""
    return Wishes(idempotency_key, wait_of(prefer), dry_run)


Manner = Annotated[Wishes, Depends(wishes)]


def wait_of(prefer: str | None) -> int:
    """Seconds, from a `Prefer` header (RFC 7240): the first that makes sense."""
    for preference in (prefer or "").split(","):
        if found := _WAIT.fullmatch(preference):
            return min(int(found[1]), LONGEST_WAIT_S)
    return 0
