"""`safelight maintenance`: on, off and show."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from safelight.cli.main import app


@pytest.fixture
def data(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copyfile(sqlite_template, tmp_path / "safelight.db")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(data: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["maintenance", *words], env={"SAFELIGHT_DATA_DIR": str(data)})


def test_it_is_put_on_with_a_message_and_off_again(data: Path) -> None:
    assert run(data, "show").output == "New jobs are taken.\n"
    on = run(data, "on", "--message", "New disks.")
    assert "New disks." in on.output
    assert "0 running jobs" in on.output
    shown = json.loads(run(data, "show", "--json").output)
    assert (shown["on"], shown["message"], shown["running"], shown["waiting"]) == (True, "New disks.", 0, 0)
    assert run(data, "off").output == "New jobs are taken.\n"
    assert json.loads(run(data, "off", "--json").output)["on"] is False


def test_another_message_keeps_the_moment_it_began(data: Path) -> None:
    since = json.loads(run(data, "on", "--json").output)["since"]
    again = json.loads(run(data, "on", "--message", "Longer.", "--json").output)
    assert (again["message"], again["since"]) == ("Longer.", since)


def test_an_empty_or_endless_message_is_refused(data: Path) -> None:
    assert run(data, "on", "--message", "  ").exit_code == 2
    assert run(data, "on", "--message", "x" * 501).exit_code == 2
