"""`safelight queue ...` on real databases: what waits, a pause and its end, 80 columns, pure JSON, exit codes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from safelight.services.caps import Caps
from safelight.services.claim import Terms, claim
from safelight.store.database import Database
from tests.integration.cli.conftest import Run
from tests.integration.services.scene import claimed, set_scene, submitted


@pytest.fixture(autouse=True)
def busy(database: Database) -> None:
    """One job that runs, two that may be claimed, one parked, one due later."""
    with database.transaction() as tx:
        set_scene(tx, users=("ann", "bob"))
        claimed(tx, "runs")
        submitted(tx, "parked")
        claim(tx, "w1", ["image"], 1, Terms(caps=Caps(1)))
        submitted(tx, "ready 1", "ready 2", user="bob")
        submitted(tx, "later", user="bob", start_at=tx.now + 3600)


def asked(run: Run, *words: str) -> Any:
    result = run("queue", *words, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


def said(run: Run, *words: str) -> str:
    result = run("queue", *words)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    assert max(map(len, result.stdout.splitlines())) <= 80
    return str(result.stdout)


def test_the_list_tells_what_waits_for_what(run: Run) -> None:
    found = {queue["name"]: queue for queue in asked(run, "list")}
    image = found["image"]
    assert (image["ready"], image["delayed"], image["parked"], image["running"]) == (2, 1, 1, 1)
    assert ["image", "2", "1", "1", "1"] in [line.split()[:5] for line in said(run, "list").splitlines()]


def test_a_pause_is_said_with_its_reason_until_the_queue_goes_on(run: Run) -> None:
    reason = "the provider is down for the whole evening and nobody knows when it will be back"
    assert said(run, "pause", "image", "--reason", reason) == "Queue image is paused.\n"
    assert said(run, "pause", "image") == "Queue image was paused before.\n"
    (paused_at,) = [queue["paused_at"] for queue in asked(run, "list") if queue["name"] == "image"]
    assert paused_at.endswith("Z")
    shown = " ".join(said(run, "list").split())
    assert "paused" in shown
    assert "the provider is down" in shown
    assert asked(run, "resume", "image") == {"image": 3}
    assert "paused" not in said(run, "list")


def test_a_queue_that_does_not_exist_is_refused_with_the_way_to_those_that_do(run: Run) -> None:
    for verb in ("pause", "resume"):
        result = run("queue", verb, "imgae")
        assert result.exit_code == 1
        assert "There is no queue 'imgae'" in result.stderr
        assert "safelight queue list" in result.stderr
