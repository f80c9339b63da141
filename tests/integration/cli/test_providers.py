"""`safelight providers ...`: what is missing, what is shut and why, what a look at each finds; never a key."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from safelight.cli.main import app
from safelight.domain.gates import Toll, Verdict
from safelight.domain.outcomes import ErrorClass, ProviderError
from safelight.providers.keys import fingerprint
from safelight.services import gate_rows, gates
from safelight.services.gate_parking import ShutGate, park
from safelight.services.gates import Heard
from safelight.store.database import Database
from tests.integration.services.scene import set_scene, submitted

KEY = "sk-test-0123456789abcdef"
Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Run:
    """With a key of OpenAI's, at an address where nobody is."""
    ours = [name for name in os.environ if name.startswith("SAFELIGHT_") or name.endswith(("_KEY", "_TOKEN"))]
    environment: dict[str, str | None] = {
        **dict.fromkeys(ours),
        "SAFELIGHT_DATABASE_URL": database_url,
        "SAFELIGHT_DATA_DIR": str(tmp_path / "data"),
        "SAFELIGHT_DAILY_SPEND_USD": "5",
        "OPENAI_API_KEY": KEY,
        "SAFELIGHT_OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
        "COLUMNS": "80",
    }
    return lambda *words: CliRunner().invoke(app, ["providers", *words], env=environment)


@pytest.fixture
def shut(database: Database) -> None:
    """Its key was refused, and a job waits."""
    with database.transaction() as tx:
        set_scene(tx)
        submitted(tx, "a")
        error = ProviderError(ErrorClass.UNAUTHORIZED, "Incorrect API key provided")
        gates.learn(tx, [Heard(Toll("openai", fingerprint(KEY)), Verdict("c", error))])
        assert park(tx, "image", ShutGate("openai", ("fake",))) == 1


def lines_of(result: Result) -> list[str]:
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert KEY not in result.output
    return [line.strip() for line in result.stdout.splitlines()]


@pytest.mark.usefixtures("shut")
def test_the_list_says_what_is_missing_what_is_shut_and_why(run: Run) -> None:
    result = run("list")
    assert (result.exit_code, result.stderr) == (0, "")
    text = " ".join(" ".join(lines_of(result)).split())
    assert "openai shut $0.00 of $5.00 its key is refused: Incorrect API key provided" in text
    assert "1 job waits" in text
    assert "no REPLICATE_API_TOKEN" in text
    assert "procedural open" in text


@pytest.mark.usefixtures("shut")
def test_as_json_it_is_what_the_api_says(run: Run) -> None:
    found = {line["provider"]: line for line in json.loads(run("list", "--json").stdout)}
    assert (found["openai"]["key"], found["openai"]["jobsWaiting"], found["openai"]["breaker"]) == ("bad", 1, "open")
    assert (found["gemini"]["configured"], found["gemini"]["missing"]) == (False, "no GEMINI_API_KEY")


def test_a_check_asks_each_and_its_exit_code_tells_whether_all_are_fit(run: Run) -> None:
    result = run("check")
    assert result.exit_code == 1
    (openai,) = [line.split() for line in lines_of(result) if line.startswith("openai")]
    assert openai[:5] == ["openai", "open", "no", "?", "?"]
    (procedural,) = [line.split() for line in lines_of(result) if line.startswith("procedural ")]
    assert procedural[:4] == ["procedural", "open", "yes", "-"]


@pytest.mark.usefixtures("shut")
def test_an_operator_opens_a_gate_for_the_next_call(run: Run, database: Database) -> None:
    assert run("open", "openai").stdout == "The next call to openai is let through.\n"
    with database.reading() as tx:
        (gate,) = gate_rows.all_gates(tx)
        assert (gate.trial_at or 0.0) <= tx.now
    refused = run("open", "replicate", "--json")
    assert refused.exit_code == 1
    assert "No call has passed a gate of provider 'replicate'" in json.dumps(json.loads(refused.stderr))


def test_a_provider_that_does_not_exist_is_said_not_to(run: Run) -> None:
    refused = run("open", "opnai")
    assert refused.exit_code == 1
    assert refused.stderr.splitlines()[0] == "There is no provider 'opnai'."
    assert "Did you mean 'openai'?" in refused.stderr
