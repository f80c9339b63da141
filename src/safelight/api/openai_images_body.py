"""What OpenAI's clients ask of pictures, in our words. Only names and shapes: the catalog knows what a model takes."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from safelight.api.bodies import refuse
from safelight.services.inputs import InputRef
from safelight.services.prepare import JobRequest

_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")
RENAMED: Final = {"output_format": "format"}
NUMBERS: Final = ("n", "seed", "steps", "output_compression")
"""Of a form, where everything is text."""
LEFT_TO_US: Final = "auto"


class ImageAsked(BaseModel):
    """A field that is not named here is a parameter of the model, which knows those it takes: `seed`, `background`.

    A null, or `auto`, is as good as nothing: the server chooses.
    """

    model_config = ConfigDict(extra="allow", strict=True)

    prompt: str = Field(description="What to make.")
    model: str | None = Field(None, max_length=200, description="Default: the server's.")
    size: str | None = Field(None, max_length=20, description="`1024x1024`, or `auto`.")
    response_format: Literal["b64_json", "url"] | None = Field(None, description="Left out: both.")
    user: str | None = Field(None, max_length=256, description="Becomes the label `user`.")

    def as_request(self, inputs: tuple[InputRef, ...] = ()) -> JobRequest:
        """Raises InvalidParams for a size that is none, and for a stream."""
        given = {name: value for name, value in (self.model_extra or {}).items() if value not in (None, LEFT_TO_US)}
        wrong = {"stream": "pictures are not streamed here"} if given.pop("stream", False) is not False else {}
        refuse(wrong)
        params: dict[str, Any] = {RENAMED.get(name, name): value for name, value in given.items()}
        return JobRequest(
            kind="image",
            prompt=self.prompt,
            model=self.model,
            params={**params, **pixels(self.size)},
            inputs=inputs,
            labels={"user": self.user} if self.user else {},
        )


def pixels(size: str | None) -> dict[str, int]:
    """`width` and `height`; nothing where that is left to the server."""
    if size is None or size == LEFT_TO_US:
        return {}
    found = _SIZE.fullmatch(size)
    if found is None:
        refuse({"size": f"must be like 1024x1024, or auto, got {size!r}"})
        return {}
    return {"width": int(found[1]), "height": int(found[2])}


def of_form(fields: dict[str, str]) -> dict[str, Any]:
    """The fields of a form as JSON would have them. What is no number stays as it is: the catalog says so."""
    return {name: _number(value) if name in NUMBERS else value for name, value in fields.items()}


def _number(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else text
