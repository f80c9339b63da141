"""How a body names the pictures that a job starts from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from safelight.catalog.inputs import Role
from safelight.services.inputs import MOST_INPUTS, SOURCES, InputRef, Source


class Body(BaseModel):
    """Any part of a body: nothing but its fields, and each of its type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Input(Body):
    """One picture to start from: an upload or an asset of yours, or where it is fetched from when this is submitted."""

    role: Role = Field("image", description="What it is for; the model's entry says which it takes.")
    upload: str | None = Field(None, max_length=64, description="Id of an upload.")
    asset: str | None = Field(None, max_length=64, description="Id of a file of one of your jobs.")
    url: str | None = Field(None, max_length=4096, description="http or https, at a public address.")
    data_uri: str | None = Field(None, description="`data:image/png;base64,…`")

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if len(self._given()) != 1:
            raise ValueError(f"must have exactly one of {', '.join(SOURCES)}")
        return self

    def as_ref(self) -> InputRef:
        (source,) = self._given()
        return InputRef(self.role, source, getattr(self, source))

    def _given(self) -> list[Source]:
        return [source for source in SOURCES if getattr(self, source) is not None]


Inputs = Annotated[list[Input], Field(max_length=MOST_INPUTS)]


def refs(inputs: Sequence[Input]) -> tuple[InputRef, ...]:
    """What a list of inputs names."""
    return tuple(each.as_ref() for each in inputs)
