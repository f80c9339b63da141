"""From what a caller asked of a batch to what will be inserted: every item is prepared like a single job.

All that is wrong with any item is told at once, under the name that the caller gave to the field.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice, product
from typing import Any

from safelight.catalog.catalog import Catalog
from safelight.catalog.model import NOTHING_KNOWN
from safelight.domain.errors import CallerError, InvalidParams
from safelight.services import callback
from safelight.services.callback import Callback
from safelight.services.prepare import MAX_SEED, Caller, JobRequest, Limits, canonical, prepare
from safelight.services.sql import as_json
from safelight.services.submission import Submission
from safelight.services.submit_batch import BatchSubmission

MOST_ITEMS = 1_000
MOST_ERRORS = 100
"""Of those there are, so many are told; a thousand times the same helps nobody."""


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One job of a batch. `request.kind` may be empty: then it is that of its model, or image."""

    request: JobRequest
    prefix: str = ""
    """Stands before a field's name in errors: `items[3].`"""
    names: Mapping[str, str] = field(default_factory=dict)
    """What a field is called where it is not `prefix` and its name: `prompt` is `prompts[3]`."""

    def name_of(self, path: str) -> str:
        return self.names.get(path) or f"{self.prefix}{path}"


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """What a front door understood of a batch; labels, priority and callback of the batch itself."""

    items: Sequence[BatchItem]
    labels: Mapping[str, str] = field(default_factory=dict)
    priority: int = 0
    callback: Callback | None = None


def side_by_side(
    prompts: Sequence[str], models: Sequence[str | None], n: int, shared: JobRequest
) -> Sequence[BatchItem]:
    """Each prompt on each model, `n` times; copies differ in their seed, counted up from the one given, if any.

    Raises InvalidParams where that makes more items than a batch may have.
    """
    count = len(prompts) * len(models) * n
    if count > MOST_ITEMS:
        text = (
            f"{len(prompts)} prompts × {len(models)} models × {n} make {count} items; a batch has at most {MOST_ITEMS}"  # noqa: RUF001 (it is that sign)
        )
        raise InvalidParams(f"prompts: {text}", errors={"prompts": [text]})
    return [
        BatchItem(
            replace(shared, prompt=prompt, model=model, params=_copy(shared.params, k)),
            names={"prompt": f"prompts[{p}]", "model": f"models[{m}]"},
        )
        for (p, prompt), (m, model), k in product(enumerate(prompts), enumerate(models), range(n))
    ]


def prepare_batch(
    request: BatchRequest,
    caller: Caller,
    catalog: Catalog,
    *,
    configured: Collection[str],
    limits: Limits,
    today: date,
    new_id: Callable[[], str],
    seed: Callable[[], int],
    replay_of: int | None = None,
    missing: Mapping[str, str] = NOTHING_KNOWN,
) -> BatchSubmission:
    """Check every item and turn the whole into a BatchSubmission. Raises InvalidParams with every wrong field."""
    most = min(MOST_ITEMS, catalog.max_batch or MOST_ITEMS)
    if not 0 < len(request.items) <= most:
        text = f"must be from 1 to {most}, got {len(request.items)}"
        raise InvalidParams(f"items: {text}", errors={"items": [text]})
    parent_id = new_id()
    of_items = replace(limits, max_wait_s=limits.batch_wait_s)
    who = replace(caller, idempotency_key=None)
    items, errors = [], dict[str, list[str]]()
    for item in request.items:
        asked = _with_kind(item.request, catalog)
        try:
            items.append(
                prepare(
                    asked, who, catalog,
                    configured=configured, limits=of_items, today=today, job_id=new_id(), seed=seed(), missing=missing,
                )
            )  # fmt: skip
        except CallerError as error:
            for path, texts in _wrong(error).items():
                errors[item.name_of(path)] = texts
    if errors:
        raise _all_at_once(errors)
    return BatchSubmission(_parent(request, caller, parent_id, items, replay_of), tuple(items))


def batch_hash(request: BatchRequest) -> str:
    """Identity of a batch as it was asked: what an idempotency key stands for."""
    asked = {
        "kind": "batch",
        "items": [canonical(item.request) for item in request.items],
        "labels": dict(request.labels),
        "priority": request.priority,
    }
    if request.callback:
        asked["callback"] = request.callback.asked()
    return hashlib.sha256(as_json(asked).encode()).hexdigest()


def _parent(
    request: BatchRequest, caller: Caller, job_id: str, items: Sequence[Submission], replay_of: int | None
) -> Submission:
    """Its start and limit are the latest of its items', so that its deadline is behind all of theirs."""
    return Submission(
        id=job_id,
        user_id=caller.user_id,
        kind="batch",
        model="",
        queue="",
        prompt="",
        params="{}",
        outputs=1,
        price=0,
        share=0.0,
        max_wait_s=max(item.max_wait_s for item in items),
        run_limit_s=0.0,
        labels=as_json(dict(request.labels)),
        priority=request.priority,
        start_at=max((item.start_at for item in items if item.start_at is not None), default=None),
        request_id=caller.request_id,
        key=caller.idempotency_key,
        request_hash=batch_hash(request),
        replay_of=replay_of,
        callback=callback.written(request.callback),
    )


def _copy(params: Mapping[str, Any], k: int) -> Mapping[str, Any]:
    seed = params.get("seed")
    return {**params, "seed": (seed + k) % (MAX_SEED + 1)} if k and isinstance(seed, int) else params


def _with_kind(request: JobRequest, catalog: Catalog) -> JobRequest:
    if request.kind:
        return request
    named = catalog.get(request.model) if request.model else None
    return replace(request, kind=named.kind if named else "image")


def _wrong(error: CallerError) -> Mapping[str, list[str]]:
    """By field. Whatever is no field's fault is about the model: which one is meant, and whether it can be run."""
    if isinstance(error, InvalidParams):
        return error.errors
    return {"model": [f"{error.what} {error.remedy.text}"]}


def _all_at_once(errors: Mapping[str, list[str]]) -> InvalidParams:
    first = next(f"{path}: {texts[0]}" for path, texts in errors.items())
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    return InvalidParams(f"{first}{more}", errors=dict(islice(errors.items(), MOST_ERRORS)))
