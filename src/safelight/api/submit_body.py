"""The body of `POST /api/jobs`: one job, or with kind `batch` many."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from safelight.api.batch_bodies import BatchFields, as_batch
from safelight.api.bodies import epoch, refuse
from safelight.api.input_bodies import refs
from safelight.services.prepare import JobRequest
from safelight.services.prepare_batch import BatchRequest

AnyKind = Literal["image", "video", "text", "upscale", "batch"]


class SubmitJob(BatchFields):
    """A batch has `items` or `prompts`; every other kind has none of both."""

    kind: AnyKind
    prompt: str | None = Field(None, description="What to make.")

    def meaning(self) -> JobRequest | BatchRequest:
        """Raises InvalidParams for fields that do not go with the kind."""
        if self.kind == "batch":
            refuse({"prompt": "does not go with kind batch: use prompts"} if self.prompt is not None else {})
            return as_batch(self, self.params, provider=None, n=self.n)
        refuse(
            {
                name: "goes with kind batch only"
                for name in ("items", "prompts", "models", "n")
                if getattr(self, name) is not None
            }
        )
        return JobRequest(
            kind=self.kind,
            prompt=self.prompt,
            model=self.model,
            params=self.params,
            inputs=refs(self.inputs),
            labels=self.labels,
            start_at=epoch(self.start_at),
            deadline_s=self.deadline,
            priority=self.priority,
            callback=self.called_back(),
        )
