"""What is made of a provider's word on its models."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from safelight.catalog.catalog import Catalog
from safelight.catalog.model import Model
from safelight.providers.protocol import ModelState, ProbeResult
from safelight.services.model_check import finding, open_routes

TODAY = date(2026, 11, 26)
WELL = ProbeResult(True, key_valid=True)


def catalog(**route: Any) -> Catalog:
    model = Model.model_validate(
        {
            "id": "m",
            "title": "M",
            "kind": "image",
            "routes": [{"provider": "p", "model": "m-1", **route}],
            "price": {"per": "job", "credits": 1},
            "typical_s": 1,
        }
    )
    return Catalog((model,))


def test_what_has_ended_by_the_catalog_itself_is_not_asked_for() -> None:
    assert open_routes(catalog(shutdown_date="2026-11-26"), TODAY) == []
    assert len(open_routes(catalog(shutdown_date="2026-11-27"), TODAY)) == 1


@pytest.mark.parametrize(
    ("probe", "state", "found", "fine", "note"),
    [
        (None, None, "not_set_up", None, "no KEY"),
        (ProbeResult(False, message="refused"), None, "unfit", False, "refused"),
        (ProbeResult(True, key_valid=False), None, "unfit", False, "refuses the key"),
        (ProbeResult(True, has_money=False), ModelState(True), "unfit", False, "wants money"),
        (WELL, None, "unsure", True, "cannot be asked"),
        (WELL, ModelState(None, message="answered 500"), "unsure", True, "answered 500"),
        (WELL, ModelState(False, message="no such model"), "gone", False, "no such model"),
        (WELL, ModelState(True, date(2027, 1, 14)), "ends", False, "on 2027-01-14; the catalog says none"),
        (WELL, ModelState(True), "ok", True, "serves it"),
    ],
)
def test_a_word_is_judged(
    probe: ProbeResult | None, state: ModelState | None, found: str, fine: bool | None, note: str
) -> None:
    (asked,) = open_routes(catalog(), TODAY)
    judged = finding(asked, probe, state, "no KEY")
    assert (judged["found"], judged["fine"]) == (found, fine)
    assert note in judged["note"]


def test_a_last_day_that_the_catalog_has_too_is_no_news() -> None:
    (asked,) = open_routes(catalog(shutdown_date="2027-01-14"), TODAY)
    assert finding(asked, WELL, ModelState(True, date(2027, 1, 14)), "")["found"] == "ok"
