"""A user in a tier sees and may use what the tier includes, at its prices."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from safelight.catalog.loading import load_catalog
from safelight.services.credits import LOCAL_USER
from safelight.services.terms_of_users import TermsOfUsers
from safelight.services.users import set_user
from tests.support.door import Door

TIERS = """
[tiers.free]
allow = ["procedural*"]
max_n = 2
max_pixels = 262144
max_batch = 3
price_factor = 3.0
"""


@pytest.fixture
def tiered(door: Door, tmp_path: Path) -> Door:
    """The same installation with a catalog file, the caller in its tier `free`."""
    file = tmp_path / "own.toml"
    file.write_text(TIERS)
    safelight = door.safelight
    safelight.desk = replace(safelight.desk, terms=TermsOfUsers(safelight.database, load_catalog(file), keep_s=0))
    door.run(safelight.database.write(set_user, LOCAL_USER, {"tier": "free"}))
    return door


def shown(door: Door, name: str) -> dict[str, Any]:
    (found,) = [model for model in door.get("/api/models").json()["models"] if model["id"] == name]
    return dict(found)


def test_the_models_are_shown_on_the_tiers_terms(tiered: Door) -> None:
    drawn = shown(tiered, "procedural")
    assert (drawn["price_credits"], drawn["parameters"]["properties"]["n"]["maximum"]) == (3, 2)
    assert drawn["parameters"]["properties"]["width"]["default"] == 512
    assert shown(tiered, "gpt-image-2")["unavailable_reason"] == "tier 'free' does not include it"
    tiered.run(tiered.safelight.database.write(set_user, LOCAL_USER, {"tier": None}))
    assert shown(tiered, "procedural")["price_credits"] == 1


def test_a_job_is_checked_and_priced_on_the_tiers_terms(tiered: Door) -> None:
    job = tiered.submit(params={"n": 2})
    assert job["credits"]["held"] == 6
    plain = tiered.post("/api/jobs", json={"kind": "image", "prompt": "x"}).json()
    assert (plain["params"]["width"], plain["params"]["height"]) == (512, 512)
    for params in ({"n": 3}, {"width": 1024, "height": 1024}):
        answer = tiered.post("/api/jobs", json={"kind": "image", "prompt": "x", "params": params})
        assert answer.status_code == 422, params
    refused = tiered.post("/api/jobs", json={"kind": "image", "prompt": "x", "model": "seedream-4"})
    assert "tier 'free' does not include it" in refused.json()["detail"]


def test_a_batch_has_no_more_items_than_the_tier_allows(tiered: Door) -> None:
    def batch(n: int) -> int:
        return tiered.post("/api/jobs", json={"kind": "batch", "prompts": ["x"] * n}).status_code

    assert (batch(3), batch(4)) == (202, 422)
