"""What an operator allows at one provider: `[providers.NAME]` of a catalog file."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _no_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("true and false are not numbers")
    return value


Whole = Annotated[int, BeforeValidator(_no_bool), Field(ge=1, le=1_000_000)]


class ProviderLimits(BaseModel):
    """None means: no limit of ours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    concurrency: Whole | None = None
    """Calls that may be open there at a time, over all workers."""
    requests_per_minute: Whole | None = None
    """Calls that may be begun there within any minute, over all workers."""
    daily_usd: Annotated[float, BeforeValidator(_no_bool)] | None = Field(
        default=None, ge=0, le=1_000_000, allow_inf_nan=False
    )
    """What calls there may be expected to cost per UTC day; takes the place of SAFELIGHT_DAILY_SPEND_USD."""


NO_LIMITS = ProviderLimits()
