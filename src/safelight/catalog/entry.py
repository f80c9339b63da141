"""What every table of a catalog file has in common: nothing unknown in it, and nothing changes it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Entry(BaseModel):
    """One table of a catalog file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
