"""What a request must be before a job is made of it: decided without a database."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date
from typing import Any

import pytest

from safelight.catalog.catalog import Catalog
from safelight.catalog.model import Model
from safelight.catalog.views import timed
from safelight.domain.errors import InvalidParams, ModelUnavailable
from safelight.services.durations import Duration
from safelight.services.prepare import Caller, JobRequest, Limits, prepare
from safelight.services.submission import Submission

MODEL = Model.model_validate(
    {
        "id": "flux",
        "title": "Flux",
        "kind": "image",
        "routes": [
            {"provider": "studio", "model": "flux-1"},
            {"provider": "second", "model": "flux-2"},
            {"provider": "closed", "model": "flux-3", "shutdown_date": "2026-05-12"},
        ],
        "parameters": {"width": {"type": "integer", "maximum": 64, "default": 8}, "seed": {"type": "integer"}},
        "price": {"per": "job", "credits": 3},
        "typical_s": 2,
    }
)


CATALOG = Catalog((MODEL,))


def prepared(configured: Collection[str] = ("studio",), catalog: Catalog = CATALOG, **asked: Any) -> Submission:
    return prepare(
        JobRequest("image", **{"prompt": "a fox", **asked}),
        Caller("ann"),
        catalog,
        configured=configured,
        limits=Limits(3600.0, 86_400.0, {"image": 600.0}),
        today=date(2026, 11, 22),
        job_id="j",
        seed=2**31 + 5,
    )


def test_a_request_gets_its_defaults_a_seed_and_a_price() -> None:
    ready = prepared()
    assert json.loads(ready.params) == {"width": 8, "seed": 5}
    assert (ready.model, ready.price, ready.provider_pin) == ("flux", 3, None)


def test_a_pin_is_taken_where_its_provider_is_set_up() -> None:
    assert prepared(("studio", "second"), provider="second").provider_pin == "second"


@pytest.mark.parametrize("provider", ["second", "closed"])
def test_a_pin_that_no_worker_could_follow_is_refused_and_named(provider: str) -> None:
    with pytest.raises(ModelUnavailable, match=f"provider '{provider}'"):
        prepared(("studio", "closed"), provider=provider)


def test_a_pin_to_a_provider_that_never_had_the_model_is_a_wrong_field_beside_the_others() -> None:
    with pytest.raises(InvalidParams) as caught:
        prepared(provider="third", params={"width": 100})
    assert set(caught.value.errors) == {"provider", "params.width"}


def test_a_deadline_below_what_its_model_may_well_need_is_raised_to_that() -> None:
    learnt = {"flux": Duration("flux", 50, 20.0, 95.0)}
    ready = prepared(deadline_s=60.0, catalog=timed(CATALOG, learnt))
    assert (ready.max_wait_s, ready.share) == (95.0, 20.0)
    assert "raised to 95 s" in ready.warnings
    assert prepared(deadline_s=96.0, catalog=timed(CATALOG, learnt)).warnings == "[]"


def test_a_deadline_that_nobody_could_meet_is_raised_with_a_warning() -> None:
    ready = prepared(deadline_s=1.0)
    assert ready.max_wait_s == 30.0
    assert [warning["code"] for warning in json.loads(ready.warnings)] == ["deadline_raised"]
