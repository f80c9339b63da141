"""`safelight doctor`: the root first, readable at 80 columns, as JSON for programs, with an exit code."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from safelight.cli.main import app
from safelight.store.database import Database
from tests.integration.services.scene import hire, pause, set_scene, submitted

Run = Callable[..., Result]
F = {"code", "severity", "subject", "symptom", "evidence", "cause", "remedy", "because_of", "affects"}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """With nothing of this machine's environment."""
    (tmp_path / "data" / "assets").mkdir(parents=True)
    ours = [name for name in os.environ if name.startswith("SAFELIGHT_") or name.endswith(("_KEY", "_TOKEN"))]
    plain = {**dict.fromkeys(ours), "SAFELIGHT_DATA_DIR": str(tmp_path / "data"), "COLUMNS": "80"}

    def run(*words: str, **environ: str) -> Result:
        return CliRunner().invoke(app, ["doctor", *words], env={**plain, **environ})

    return run


def found(result: Result) -> list[dict[str, Any]]:
    report = json.loads(result.stdout)
    assert report.keys() == {"status", "checked_at", "took_s", "findings"}
    assert all(finding.keys() == F for finding in report["findings"])
    findings: list[dict[str, Any]] = report["findings"]
    return findings


def test_a_missing_worker_is_the_first_finding_with_what_hangs_on_it(
    run: Run, database: Database, database_url: str
) -> None:
    with database.transaction() as tx:
        set_scene(tx, workers=())
        submitted(tx, "a", "b", queue="video")
    result = run("--json", SAFELIGHT_DATABASE_URL=database_url)
    (first, *rest) = found(result)
    assert result.exit_code == 1
    assert (first["code"], first["subject"], first["severity"]) == ("NO_WORKER_FOR_QUEUE", "video", "error")
    assert first["affects"] == {"jobs": 2, "credits": 20}
    assert first["remedy"]["command"] == "safelight worker --queue video"
    assert [finding["because_of"] for finding in rest] == ["NO_WORKER_FOR_QUEUE"] * len(rest)
    with database.transaction() as tx:
        pause(tx, "video")
        hire(tx, "w1")
    paused = run("--json", SAFELIGHT_DATABASE_URL=database_url)
    assert (paused.exit_code, [f["code"] for f in found(paused)]) == (0, ["QUEUE_PAUSED"])


def test_the_report_fits_into_eighty_columns_and_folds_what_follows(
    run: Run, database: Database, database_url: str
) -> None:
    with database.transaction() as tx:
        set_scene(tx, workers=())
        submitted(tx, "a")
    result = run(SAFELIGHT_DATABASE_URL=database_url)
    lines = result.stdout.splitlines()
    assert lines[0].startswith("unhealthy: 2 errors")
    assert "error NO_WORKER_FOR_QUEUE image · 1 job · 10 credits" in lines
    assert any(line.strip() == "safelight worker --queue image" for line in lines)
    assert "  and 1 consequence:" in lines
    assert max(map(len, lines)) <= 80
    assert all(line == line.rstrip() for line in lines if not line.startswith("  "))


def test_without_any_configuration_it_says_that_nothing_was_started(run: Run) -> None:
    result = run("--json")
    assert (result.exit_code, [f["code"] for f in found(result)]) == (0, ["NEVER_STARTED"])


def test_with_a_broken_configuration_that_comes_first_and_the_rest_is_looked_at(
    run: Run, database: Database, database_url: str
) -> None:
    with database.transaction() as tx:
        set_scene(tx, workers=())
        submitted(tx, "a")
    environ = {"SAFELIGHT_DATABASE_URL": database_url, "SAFELIGHT_PRT": "1", "SAFELIGHT_LEASE_SECONDS": "soon"}
    result = run("--json", **environ)
    codes = {finding["code"]: finding for finding in found(result)}
    assert next(iter(codes)) == "UNKNOWN_SETTING"
    assert "SAFELIGHT_PORT" in codes["UNKNOWN_SETTING"]["remedy"]["text"]
    assert "INVALID_SETTING" in codes
    assert codes["NO_WORKER_FOR_QUEUE"]["because_of"] == "UNKNOWN_SETTING"


def test_with_the_database_down_it_says_so_and_ends(run: Run) -> None:
    result = run("--json", SAFELIGHT_DATABASE_URL="postgresql://postgres@127.0.0.1:1/x")
    (finding,) = found(result)
    assert (result.exit_code, finding["code"], finding["severity"]) == (1, "DATABASE_UNREACHABLE", "critical")


def test_a_bad_catalog_is_a_finding_and_no_secret_is_ever_shown(run: Run, tmp_path: Path) -> None:
    catalog = tmp_path / "models.toml"
    catalog.write_text("models = 7\n")
    environ = {"SAFELIGHT_CATALOG": str(catalog), "OPENAI_API_KEY": "sk-test-0123456789abcdef"}
    result = run("--json", SAFELIGHT_OPENAI_BASE_URL="http://127.0.0.1:1/v1", **environ)
    assert [f["code"] for f in found(result)][:2] == ["BAD_CATALOG", "PROVIDER_UNREACHABLE"]
    assert "0123456789abcdef" not in result.output


def test_it_is_misused_by_unknown_options_only(run: Run) -> None:
    assert run("--jsn").exit_code == 2
