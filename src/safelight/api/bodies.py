"""Bodies of requests, as pydantic reads them. Only shapes: what a model takes is checked by the catalog."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    field_validator,
)

from safelight.api.input_bodies import Body, Inputs
from safelight.domain.errors import InvalidParams
from safelight.services.inputs import MOST_INPUTS

LABEL_KEY = re.compile(r"[a-z0-9_]{1,64}")
MOST_LABELS = 16
LONGEST_LABEL = 256
Kind = Literal["image", "video", "text", "upscale"]
_DATE_AND_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ].+")
_END_OF_TIME = datetime(9000, 1, 1, tzinfo=UTC)
"""Room for the longest deadline after it: no date can be written beyond the year 9999."""


def _written_as_date(value: Any) -> Any:
    """Numbers would pass as seconds since 1970, or milliseconds, whichever looks likelier."""
    if not isinstance(value, str) or _DATE_AND_TIME.fullmatch(value) is None:
        raise ValueError("must be a date and time like 2030-01-31T18:00:00Z")
    return value


def _within_time(at: datetime) -> datetime:
    if at >= _END_OF_TIME:
        raise ValueError("must be before the year 9000")
    return at


Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_written_as_date), AfterValidator(_within_time)]
"""RFC 3339, with its offset from UTC."""


def checked_labels(labels: dict[str, str]) -> dict[str, str]:
    """The same. Raises ValueError for what cannot be labels of a job."""
    if len(labels) > MOST_LABELS:
        raise ValueError(f"at most {MOST_LABELS} labels, got {len(labels)}")
    for key, value in labels.items():
        if LABEL_KEY.fullmatch(key) is None:
            raise ValueError(f"label key {key[:64]!r} must be 1-64 characters of a-z, 0-9 and _")
        if len(value) > LONGEST_LABEL:
            raise ValueError(f"label {key!r} is longer than {LONGEST_LABEL} characters")
    return labels


class Common(Body):
    """What every kind of job can carry beside its own fields."""

    inputs: Inputs = Field(default_factory=list, description=f"Pictures to start from, at most {MOST_INPUTS}.")
    labels: dict[str, str] = Field(default_factory=dict, description="At most 16; keys of a-z, 0-9 and _.")
    start_at: Moment | None = Field(None, description="Not before this time (RFC 3339).")
    deadline: float | None = Field(
        None, ge=1, le=86_400, allow_inf_nan=False, description="Seconds to wait for a worker, at most."
    )
    priority: int = Field(0, ge=-10, le=10, description="Higher goes first.")

    @field_validator("labels")
    @classmethod
    def _check_labels(cls, labels: dict[str, str]) -> dict[str, str]:
        return checked_labels(labels)


def epoch(at: datetime | None) -> float | None:
    """Seconds since 1970."""
    return None if at is None else at.timestamp()


def refuse(wrong: Mapping[str, str]) -> None:
    """Raise InvalidParams if any field is wrong: why, by its name."""
    if wrong:
        first = next(f"{path}: {text}" for path, text in wrong.items())
        more = f" ({len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise InvalidParams(f"{first}{more}", errors={path: [text] for path, text in wrong.items()})
