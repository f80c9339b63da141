"""From a finding to the jobs it is about: so that what is found once is mended once, for all of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from safelight.diagnosis.finding import Finding
from safelight.domain.errors import Conflict, InvalidParams, Remedy

Field = Literal["queue", "model", "provider"]

MEANS: Final[dict[str, Field]] = {
    "NO_WORKER_FOR_QUEUE": "queue",
    "QUEUE_PAUSED": "queue",
    "BACKLOG": "queue",
    "PROVIDER_NOT_CONFIGURED": "model",
    "MODEL_RETIRES": "model",
    "PROVIDER_UNAUTHORIZED": "provider",
    "PROVIDER_OUT_OF_CREDIT": "provider",
    "PROVIDER_UNREACHABLE": "provider",
    "PROVIDER_ERRORS": "provider",
    "PROVIDER_COOLDOWN": "provider",
    "SPEND_CEILING": "provider",
}
"""What the subject of a finding names, for those that are about the jobs of something."""


def meant_by(code: str, findings: Iterable[Finding], narrowed: str | None = None) -> tuple[Field, str]:
    """The field of a filter and its value, of the finding with that code. `narrowed`: the value, if it was said too.

    Raises InvalidParams for a code that is about no jobs in particular, Conflict where it is not found now, or is found
    of several and none of them was named.
    """
    field = MEANS.get(code)
    if field is None:
        text = f"must be one of {', '.join(sorted(MEANS))}"
        raise InvalidParams(f"filter.finding: {text}", errors={"filter.finding": [text]})
    subjects = sorted({each.subject for each in findings if each.code == code and each.affects.jobs})
    if narrowed is not None:
        subjects = [subject for subject in subjects if subject == narrowed]
    match subjects:
        case [subject]:
            return field, subject
        case []:
            about = f" of {field} {narrowed!r}" if narrowed else ""
            raise Conflict(
                f"{code}{about} holds up no jobs now.",
                remedy=Remedy("Look what does.", "safelight doctor"),
                evidence={"finding": code},
            )
        case _:
            raise Conflict(
                f"{code} is found of several: {', '.join(subjects)}.",
                remedy=Remedy(f"Name one of them as `{field}`."),
                evidence={"finding": code, field: subjects},
            )
