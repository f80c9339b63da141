"""What clients of tasks send: `input_data`, in which parameters stand beside type and prompt."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from safelight.api.bodies import epoch, refuse
from safelight.api.callback_bodies import CalledBack
from safelight.api.input_bodies import Body, refs
from safelight.services.prepare import JobRequest

TaskKind = Literal["image", "video", "text"]


class Asked(CalledBack):
    """What to make. Every field that is not named here is a parameter of the model, which knows those it takes.

    Of those a null is as good as nothing: programs in Swift write what they were not given.
    """

    model_config = ConfigDict(extra="allow", strict=True)

    prompt: str | None = Field(None, description="What to make.")
    model: str | None = Field(None, max_length=200, description="Default: that of the type.")
    params: dict[str, Any] | None = Field(None, description="Parameters, where they do not stand beside this.")

    def as_request(self, kind: str) -> JobRequest:
        """Raises InvalidParams where a parameter is given in both places."""
        beside = {name: value for name, value in (self.model_extra or {}).items() if value is not None}
        inside = self.params or {}
        refuse({f"params.{name}": f"stands beside params as {name!r} as well" for name in beside if name in inside})
        return JobRequest(
            kind=kind,
            prompt=self.prompt,
            model=self.model,
            params={**beside, **inside},
            inputs=refs(self.inputs),
            labels=self.labels,
            start_at=epoch(self.start_at),
            deadline_s=self.deadline,
            priority=self.priority,
            callback=self.called_back(),
        )


class InputData(Asked):
    """What to make, and of which kind."""

    type: TaskKind


class CreateTask(Body):
    """`POST /api/tasks`."""

    input_data: InputData

    def as_request(self) -> JobRequest:
        return self.input_data.as_request(self.input_data.type)
