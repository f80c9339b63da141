"""What a batch must be before jobs are made of it: decided without a database."""

from __future__ import annotations

import json
from datetime import date
from itertools import count
from typing import Any

import pytest

from safelight.catalog.catalog import Catalog
from safelight.catalog.model import Model
from safelight.domain.errors import InvalidParams
from safelight.services.prepare import MAX_SEED, Caller, JobRequest, Limits
from safelight.services.prepare_batch import (
    MOST_ERRORS,
    MOST_ITEMS,
    BatchItem,
    BatchRequest,
    batch_hash,
    prepare_batch,
    side_by_side,
)
from safelight.services.submit_batch import BatchSubmission

FIELDS = {"title": "T", "price": {"per": "job", "credits": 3}, "typical_s": 2}
WIDTH = {"width": {"type": "integer", "maximum": 64, "default": 8}, "seed": {"type": "integer"}}
CATALOG = Catalog(
    tuple(
        Model.model_validate(
            {"id": name, "kind": kind, "routes": [{"provider": "p", "model": name}], "parameters": WIDTH, **FIELDS}
        )
        for name, kind in (("flux", "image"), ("film", "video"))
    )
)
SHARED = JobRequest("")


def prepared(request: BatchRequest, key: str | None = None) -> BatchSubmission:
    numbers = count()
    return prepare_batch(
        request,
        Caller("ann", "r-1", key),
        CATALOG,
        configured=("p",),
        limits=Limits(3600.0, 86_400.0, {"image": 600.0, "video": 2400.0}),
        today=date(2026, 11, 22),
        new_id=lambda: f"j{next(numbers)}",
        seed=lambda: next(numbers),
    )


def items(*asked: JobRequest) -> BatchRequest:
    return BatchRequest([BatchItem(request, prefix=f"items[{i}].") for i, request in enumerate(asked)])


def test_an_item_is_prepared_like_a_single_job_but_may_wait_longer() -> None:
    batch = prepared(items(JobRequest("image", "a fox"), JobRequest("video", "a storm")), key="k")
    assert [(item.kind, item.queue, item.model, item.run_limit_s) for item in batch.items] == [
        ("image", "image", "flux", 600.0),
        ("video", "video", "film", 2400.0),
    ]
    assert {item.max_wait_s for item in batch.items} == {86_400.0}
    assert {item.key for item in batch.items} == {None}
    parent = batch.parent
    assert (parent.kind, parent.queue, parent.price, parent.key, parent.request_id) == ("batch", "", 0, "k", "r-1")
    assert batch.price == 6


def test_a_batch_ends_no_earlier_than_the_latest_of_its_items_may() -> None:
    later = JobRequest("image", "x", start_at=5_000.0, deadline_s=100.0)
    parent = prepared(items(later, JobRequest("image", "y"))).parent
    assert (parent.start_at, parent.max_wait_s) == (5_000.0, 86_400.0)


def test_an_item_without_a_kind_has_that_of_its_model_or_is_an_image() -> None:
    batch = prepared(items(JobRequest("", "x"), JobRequest("", "x", model="film")))
    assert [item.kind for item in batch.items] == ["image", "video"]


def test_copies_of_a_prompt_count_their_seed_up_and_draw_their_own_where_none_was_given() -> None:
    given = JobRequest("", params={"seed": MAX_SEED})
    assert [item.request.params["seed"] for item in side_by_side(["x"], [None], 3, given)] == [MAX_SEED, 0, 1]
    drawn = prepared(BatchRequest(side_by_side(["x"], [None], 3, SHARED)))
    assert len({json.loads(item.params)["seed"] for item in drawn.items}) == 3


@pytest.mark.parametrize("seed", [True, "7", 1.5, None])
def test_a_seed_that_is_no_whole_number_is_left_for_the_check_to_refuse(seed: Any) -> None:
    shared = JobRequest("", params={"seed": seed})
    with pytest.raises(InvalidParams) as caught:
        prepared(BatchRequest(side_by_side(["x"], [None], 2, shared)))
    assert set(caught.value.errors) == {"params.seed"}


def test_more_than_a_thousand_items_are_refused_before_any_is_made() -> None:
    with pytest.raises(InvalidParams, match="make 1001000000 items") as caught:
        side_by_side(["x"] * 1001, ["flux"] * 1000, 1000, SHARED)
    assert set(caught.value.errors) == {"prompts"}


@pytest.mark.parametrize("number", [0, MOST_ITEMS + 1])
def test_a_batch_has_from_one_to_a_thousand_items(number: int) -> None:
    with pytest.raises(InvalidParams, match=f"got {number}"):
        prepared(items(*[JobRequest("image", "x")] * number))


def test_of_very_many_errors_some_are_told_and_the_number_of_all() -> None:
    with pytest.raises(InvalidParams, match=r"items\[0\].prompt: .* \(499 more\)") as caught:
        prepared(items(*[JobRequest("image", "")] * 500))
    assert len(caught.value.errors) == MOST_ERRORS


@pytest.mark.parametrize(
    "other",
    [
        items(JobRequest("image", "b"), JobRequest("image", "a")),
        items(JobRequest("image", "a")),
        BatchRequest(items(JobRequest("image", "a"), JobRequest("image", "b")).items, {"book": "7"}),
    ],
    ids=["order", "number", "labels"],
)
def test_batches_that_differ_have_different_identities(other: BatchRequest) -> None:
    one = items(JobRequest("image", "a"), JobRequest("image", "b"))
    assert batch_hash(one) == batch_hash(items(JobRequest("image", "a"), JobRequest("image", "b")))
    assert batch_hash(one) != batch_hash(other)
