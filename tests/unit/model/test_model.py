"""The rules of calls, leases, sweep, cancel and deadline, tried in every order in which things can happen.

With all of them 1,300 to 14,600 states are possible, depending on the policy, and none is bad. Without any one of them
the search finds what that rule is for: docs/promises.md lists the shortest way to each.
"""

from __future__ import annotations

import pytest

from tests.unit.model.promises import STUCK
from tests.unit.model.rules import Rules, UnknownPolicy
from tests.unit.model.search import search
from tests.unit.model.table import DOCUMENT, with_table
from tests.unit.model.variants import POLICIES, QUICKER, VARIANTS, Variant, in_full

SWITCHES = set(Rules._fields) - {"policy", "user_replays"}


@pytest.mark.parametrize("policy", POLICIES)
def test_with_all_rules_nothing_bad_can_happen(policy: UnknownPolicy) -> None:
    found = in_full(policy)
    assert found.bad == {}, str(found)
    assert found.worlds > 1_000


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: f"{variant.rule}-{variant.broken}")
def test_without_each_rule_its_own_promise_breaks(variant: Variant) -> None:
    found = variant.found()
    assert variant.broken in found.bad, str(found)


@pytest.mark.parametrize("rule", QUICKER)
def test_rules_with_others_behind_them_only_make_things_quicker(rule: str) -> None:
    found = search(Rules(user_replays=False).without(rule))
    assert found.bad == {}, str(found)


def test_every_rule_is_tried() -> None:
    assert {variant.rule for variant in VARIANTS} | set(QUICKER) == SWITCHES


def test_a_path_can_be_read_as_a_story() -> None:
    found = search(Rules(user_replays=False).without("deadline_ends_every_job"), STUCK)
    assert found.bad[STUCK] == (
        "A claims",
        "A finds no open call",
        "A records a call as sending",
        "A checks its lease",
        "A POSTs and the provider accepts",
    )


def test_the_documented_figures_are_those_of_the_search() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == with_table(text), "run: python -m tests.unit.model.table"
