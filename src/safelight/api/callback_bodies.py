"""How a body names where its caller is to be told of the job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from safelight.api.bodies import Common
from safelight.api.input_bodies import Body
from safelight.net.targets import LONGEST_URL
from safelight.services.callback import TELLABLE, Callback

Told = Literal[
    "job.submitted",
    "job.started",
    "job.retrying",
    "job.requeued",
    "job.cancel_requested",
    "job.completed",
    "job.failed",
    "job.canceled",
    "job.partial",
]
"""The types of `TELLABLE`."""


class CallbackBody(Body):
    """An address to be told of the job by signed webhooks."""

    url: str = Field(max_length=LONGEST_URL, description="http or https, at a public address.")
    events: list[Told] | None = Field(
        None, min_length=1, max_length=len(TELLABLE), description="Which to tell; default: how the job ends."
    )


class CalledBack(Common):
    """What a whole request can carry, and no item of a batch: the batch's caller is told of the batch."""

    callback: CallbackBody | None = Field(None, description="Where to be told of the job by signed webhooks.")

    def called_back(self) -> Callback | None:
        """What it means."""
        if self.callback is None:
            return None
        asked = self.callback.events
        return Callback(self.callback.url) if asked is None else _of(self.callback.url, asked)


def _of(url: str, asked: Sequence[str]) -> Callback:
    """Each once, in the order in which they come."""
    return Callback(url, tuple(event for event in TELLABLE if event in asked))
