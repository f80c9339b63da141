"""Bodies of batches: a list of jobs, or prompts on models side by side. What the batch says holds for its items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import Field

from safelight.api.bodies import MOST_LABELS, Common, Kind, epoch, refuse
from safelight.api.callback_bodies import CalledBack
from safelight.api.input_bodies import refs
from safelight.services.prepare import JobRequest
from safelight.services.prepare_batch import MOST_ITEMS, BatchItem, BatchRequest, side_by_side

Name = Annotated[str, Field(max_length=200)]


class Item(Common):
    """One job of a batch; what it leaves out is as the batch has it."""

    kind: Kind | None = Field(None, description="Default: that of its model, or image.")
    prompt: str | None = None
    model: Name | None = None
    params: dict[str, Any] = Field(default_factory=dict)


class BatchFields(CalledBack):
    """What makes a batch: either `items`, or `prompts` with `models` and `n`."""

    items: list[Item] | None = Field(None, min_length=1, max_length=MOST_ITEMS, description="The jobs.")
    prompts: list[str] | None = Field(
        None, min_length=1, max_length=MOST_ITEMS, description="Each becomes a job on each of the models, `n` times."
    )
    models: list[Name] | None = Field(None, min_length=1, max_length=MOST_ITEMS)
    n: int | None = Field(None, ge=1, le=MOST_ITEMS)
    model: Name | None = Field(None, description="The model of whatever names none.")
    params: dict[str, Any] = Field(default_factory=dict, description="For every item; its own come before them.")


class GenerateBatch(BatchFields):
    """`POST /api/jobs/batch-generation`; `options`, `provider` and `batchSize` are the older names."""

    provider: Name | None = Field(None, description="Pins the provider.")
    options: dict[str, Any] | None = Field(None, description="The older name of `params`.")
    batchSize: int | None = Field(None, ge=1, le=MOST_ITEMS, description="The older name of `n`.")

    def as_batch(self) -> BatchRequest:
        params = {**(self.options or {}), **self.params}
        return as_batch(self, params, provider=self.provider, n=self.n or self.batchSize)


def as_batch(body: BatchFields, params: Mapping[str, Any], *, provider: str | None, n: int | None) -> BatchRequest:
    """The request that a body means. Raises InvalidParams where it is not exactly one of the two forms."""
    _check_form(body, n)
    shared = JobRequest(
        kind="",
        model=body.model,
        params=params,
        inputs=refs(body.inputs),
        labels=body.labels,
        provider=provider,
        start_at=epoch(body.start_at),
        deadline_s=body.deadline,
        priority=body.priority,
    )
    if body.prompts is not None:
        items: Sequence[BatchItem] = side_by_side(body.prompts, body.models or [body.model], n or 1, shared)
    else:
        items = [_item(each, i, shared) for i, each in enumerate(body.items or ())]
    return BatchRequest(items, body.labels, body.priority, body.called_back())


def _item(item: Item, i: int, shared: JobRequest) -> BatchItem:
    said = item.model_fields_set
    request = replace(
        shared,
        kind=item.kind or "",
        prompt=item.prompt,
        model=item.model or shared.model,
        params={**shared.params, **item.params},
        inputs=refs(item.inputs) if "inputs" in said else shared.inputs,
        labels={**shared.labels, **item.labels},
        start_at=epoch(item.start_at) if "start_at" in said else shared.start_at,
        deadline_s=item.deadline if "deadline" in said else shared.deadline_s,
        priority=item.priority if "priority" in said else shared.priority,
    )
    return BatchItem(request, prefix=f"items[{i}].")


def _check_form(body: BatchFields, n: int | None) -> None:
    wrong: dict[str, str] = {}
    if body.items is None and body.prompts is None:
        wrong["items"] = "is required, unless prompts are given"
    if body.items is not None:
        given = {"prompts": body.prompts, "models": body.models, "n": n}
        wrong.update({name: "does not go with items" for name, value in given.items() if value is not None})
    if body.models is not None and body.model is not None:
        wrong["model"] = "does not go with models"
    for i, item in enumerate(body.items or ()):
        if len(body.labels.keys() | item.labels.keys()) > MOST_LABELS:
            wrong[f"items[{i}].labels"] = f"at most {MOST_LABELS}, together with those of the batch"
    refuse(wrong)
