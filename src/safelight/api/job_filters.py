"""Bodies that say which jobs are meant: of everybody for operators, one's own for users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from safelight.api.bodies import Moment, checked_labels, epoch
from safelight.api.input_bodies import Body
from safelight.api.submit_body import AnyKind
from safelight.domain.errors import InvalidParams
from safelight.domain.ids import LONGEST_USER_ID, is_user_id
from safelight.domain.jobs import Status
from safelight.services.job_filter import JobFilter
from safelight.services.recovery_rules import MAY_HAVE, MEANS, Action

LONGEST_NAME = 200
LONGEST_MESSAGE = 500
LONGEST_AGE_S: Final = 3.2e8
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]


class OwnFilter(Body):
    """Which jobs: all that is said must be so, and something must be said."""

    status: list[Annotated[Status, Field(strict=False)]] = Field(
        default_factory=list, max_length=len(Status), description="One of these."
    )
    queue: Name | None = None
    model: Name | None = None
    provider: Name | None = Field(None, description="Pinned to it, waiting for it, or called there.")
    kind: AnyKind | None = None
    error_code: str | None = Field(None, max_length=100, pattern=r"^[a-z_]+$", description="Of a job that failed.")
    labels: dict[str, str] = Field(default_factory=dict, description="It has all of these.")
    older_than_s: float | None = Field(
        None, ge=0, le=LONGEST_AGE_S, allow_inf_nan=False, description="Submitted so many seconds ago, at least."
    )
    submitted_after: Moment | None = None
    submitted_before: Moment | None = None

    @field_validator("labels")
    @classmethod
    def _check_labels(cls, labels: dict[str, str]) -> dict[str, str]:
        return checked_labels(labels)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not any(value not in (None, [], {}) for value in self.model_dump().values()):
            raise ValueError("must say which jobs: name at least one of its fields")
        return self

    def meant(self, action: Action, *, user: str | None, known: Mapping[str, str] | None = None) -> JobFilter:
        """For an action; `known` are fields that were found out. Raises InvalidParams for statuses it cannot have."""
        given = {"queue": self.queue, "model": self.model, "provider": self.provider, **(known or {})}
        return JobFilter(
            _statuses(action, self.status),
            kind=self.kind,
            error_code=self.error_code,
            user=user,
            labels=tuple(self.labels.items()),
            submitted_after=epoch(self.submitted_after),
            submitted_before=epoch(self.submitted_before),
            **given,
        )


def _names_a_user(text: str) -> str:
    if not is_user_id(text):
        raise ValueError("must be printable, without blanks around it")
    return text


class AnyFilter(OwnFilter):
    """The same, of everybody."""

    user: Annotated[str, Field(max_length=LONGEST_USER_ID), AfterValidator(_names_a_user)] | None = None
    finding: str | None = Field(
        None,
        max_length=100,
        description="The code of something that `safelight doctor` finds now, such as `NO_WORKER_FOR_QUEUE`.",
    )


class PlanRecovery(Body):
    """`POST /api/admin/recoveries`."""

    action: Action = Field(strict=False, description="`requeue`, `fail` (and free the credits), `cancel` or `retry`.")
    filter: AnyFilter
    message: str = Field("", max_length=LONGEST_MESSAGE, description="For the users of these jobs.")
    after_s: float = Field(
        60.0, ge=0, le=86_400, allow_inf_nan=False, description="Until it takes effect; till then it can be stopped."
    )
    by: str = Field("", max_length=100, description="Who asks for it, beside the key: for the record.")


class OwnJobs(Body):
    """`POST /api/jobs/cancel` and `/api/jobs/retry`."""

    filter: OwnFilter


def _statuses(action: Action, given: Sequence[Status]) -> tuple[str, ...]:
    statuses = tuple(dict.fromkeys(str(status) for status in given)) or MEANS[action]
    if wrong := [status for status in statuses if status not in MAY_HAVE[action]]:
        text = f"{wrong[0]} is not for {action}, which takes {', '.join(MAY_HAVE[action])}"
        raise InvalidParams(f"filter.status: {text}", errors={"filter.status": [text]})
    return statuses
