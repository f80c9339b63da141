"""`safelight users ...`: who is in which tier, 80 columns, pure JSON, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from safelight.cli.main import app
from tests.integration.cli.conftest import Run


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Run:
    file = tmp_path / "own.toml"
    file.write_text("[tiers.free]\nmax_n = 1\n[tiers.pro]\n")
    environment = {"SAFELIGHT_DATABASE_URL": database_url, "SAFELIGHT_CATALOG": str(file), "COLUMNS": "80"}
    return lambda *words: CliRunner().invoke(app, list(words), env=environment)


def test_nobody_is_listed_of_whom_nothing_was_said(run: Run) -> None:
    result = run("users", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "safelight users set" in result.stderr
    assert json.loads(run("users", "list", "--json").stdout) == []


def test_a_user_is_put_into_a_tier_capped_and_let_go(run: Run) -> None:
    said = run("users", "set", "ann", "--tier", "free", "--running-cap", "2")
    assert said.stdout == "User ann: tier free, 2 running at a time.\n"
    assert run("users", "set", "ann", "--tier", "pro").stdout == "User ann: tier pro, 2 running at a time.\n"
    assert run("users", "list").stdout.splitlines()[1].split() == ["ann", "pro", "2"]
    assert json.loads(run("users", "set", "ann", "--no-tier", "--json").stdout) == {
        "user_id": "ann",
        "tier": None,
        "running_cap": 2,
    }
    run("users", "set", "ann", "--no-running-cap")
    assert json.loads(run("users", "list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["ann"], "say what to set"),
        (["ann", "--tier", "free", "--no-tier"], "one of the two"),
        (["ann", "--tier", "gold"], "there are: free, pro"),
        (["ann", "--running-cap", "0"], "greater than or equal to 1"),
    ],
)
def test_what_makes_no_sense_is_refused(run: Run, words: list[str], says: str) -> None:
    result = run("users", "set", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in " ".join(result.stderr.split())
