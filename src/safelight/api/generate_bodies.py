"""Bodies of the routes whose kind is implied, with the names that older clients use."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import Field

from safelight.api.bodies import Kind, epoch, refuse
from safelight.api.callback_bodies import CalledBack
from safelight.api.input_bodies import refs
from safelight.services.inputs import InputRef, Source
from safelight.services.prepare import JobRequest


class Generate(CalledBack):
    """`POST /api/jobs/image-generation` and its like: the kind is implied; `options` is the older name of `params`."""

    prompt: str | None = None
    model: str | None = Field(None, max_length=200)
    provider: str | None = Field(None, max_length=200, description="Pins the provider.")
    params: dict[str, Any] | None = None
    options: dict[str, Any] | None = Field(None, description="The older name of `params`.")

    def as_request(self, kind: Kind) -> JobRequest:
        return JobRequest(
            kind=kind,
            prompt=self.prompt,
            model=self.model,
            params={**(self.options or {}), **(self.params or {})},
            inputs=refs(self.inputs),
            labels=self.labels,
            provider=self.provider,
            start_at=epoch(self.start_at),
            deadline_s=self.deadline,
            priority=self.priority,
            callback=self.called_back(),
        )


class Upscale(Generate):
    """`POST /api/jobs/image-upscale`; `imageUrl` is the older way to name the one input, `scale` that of the factor."""

    imageUrl: str | None = Field(None, description="URL or data URI of the picture; instead of `inputs`.")
    scale: float | None = Field(None, allow_inf_nan=False, description="The older place of `params.scale`.")

    def as_upscale(self) -> JobRequest:
        """Raises InvalidParams where two places name the same thing."""
        request = self.as_request("upscale")
        refuse(
            {
                name: f"does not go with {other}"
                for name, other, both in (
                    ("imageUrl", "inputs", self.imageUrl is not None and bool(self.inputs)),
                    ("scale", "params.scale", self.scale is not None and "scale" in request.params),
                )
                if both
            }
        )
        if self.imageUrl is not None:
            request = replace(request, inputs=(InputRef("image", _source(self.imageUrl), self.imageUrl),))
        if self.scale is None:
            return request
        whole = int(self.scale) if self.scale.is_integer() else self.scale
        return replace(request, params={**request.params, "scale": whole})


def _source(url: str) -> Source:
    return "data_uri" if url[:5].lower() == "data:" else "url"
