"""`safelight prune` on a small installation: what it asks for, says and leaves."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from safelight.cli.main import app
from safelight.store.connect import open_database
from tests.integration.services.scene import all_jobs, claimed, complete, set_scene, submitted

Operate = Callable[..., Result]


@pytest.fixture
def operate(tmp_path: Path, sqlite_template: Path) -> Operate:
    """Run a command on an installation with two completed jobs and one that waits."""
    shutil.copyfile(sqlite_template, tmp_path / "safelight.db")
    database = open_database(f"sqlite:///{tmp_path}/safelight.db")
    with database.transaction() as tx:
        set_scene(tx)
        for taken in claimed(tx, "a", "b"):
            assert complete(tx, taken)
        submitted(tx, "c", key="k")
    database.close()
    environment: dict[str, str | None] = dict.fromkeys(name for name in os.environ if name.startswith("SAFELIGHT_"))
    environment |= {"SAFELIGHT_DATA_DIR": str(tmp_path), "COLUMNS": "80"}
    return lambda *words, **more: CliRunner().invoke(app, list(words), env=environment | more)


def left(tmp_path: Path) -> list[str]:
    database = open_database(f"sqlite:///{tmp_path}/safelight.db")
    with database.reading() as tx:
        found = [row.id for row in all_jobs(tx)]
    database.close()
    return found


def test_without_a_limit_nothing_is_removed(operate: Operate, tmp_path: Path) -> None:
    refused = operate("prune")
    assert refused.exit_code == 2
    assert "SAFELIGHT_KEEP_JOBS_DAYS is not set" in refused.stderr
    assert left(tmp_path) == ["a", "b", "c"]


def test_the_setting_is_the_limit_and_young_jobs_stay(operate: Operate, tmp_path: Path) -> None:
    kept = operate("prune", SAFELIGHT_KEEP_JOBS_DAYS="1")
    assert (kept.exit_code, kept.stdout) == (0, "0 jobs and 0 idempotency keys removed.\n")
    assert left(tmp_path) == ["a", "b", "c"]


def test_kinds_have_times_of_their_own_and_zero_is_for_ever(operate: Operate, tmp_path: Path) -> None:
    days = {"SAFELIGHT_KEEP_JOBS_DAYS": "30", "SAFELIGHT_KEEP_VIDEO_DAYS": "7", "SAFELIGHT_KEEP_IMAGE_DAYS": "0"}
    told = operate("prune", "--dry-run", **days)
    assert "Kept: text 30 days, upscale 30 days, video 7 days, others for ever." in told.stdout
    assert operate("prune", "--kind", "image", **days).exit_code == 2, "nothing says how long pictures are kept"
    assert (
        operate("prune", "--older-than", "0s", "--kind", "video").stdout == "0 jobs and 0 idempotency keys removed.\n"
    )
    assert left(tmp_path) == ["a", "b", "c"]
    operate("prune", "--older-than", "0s", "--kind", "image")
    assert left(tmp_path) == ["c"]


def test_a_dry_run_tells_and_changes_nothing(operate: Operate, tmp_path: Path) -> None:
    told = operate("prune", "--older-than", "0s", "--dry-run")
    assert told.exit_code == 0
    assert "2 jobs and 0 idempotency keys would be removed." in told.stdout
    assert [line.split() for line in told.stdout.splitlines()[:2]] == [
        ["STATUS", "JOBS", "FILES", "BYTES"],
        ["completed", "2", "0", "0", "B"],
    ]
    assert "Kept: text 0 days, image 0 days, upscale 0 days, video 0 days." in " ".join(told.stdout.split())
    assert left(tmp_path) == ["a", "b", "c"]


def test_json_says_the_same_by_status(operate: Operate, tmp_path: Path) -> None:
    done = operate("prune", "--older-than", "0s", "--json")
    assert json.loads(done.stdout) == {
        "dry_run": False,
        "keep_s": {"text": 0, "image": 0, "upscale": 0, "video": 0},
        "by_status": {"completed": {"jobs": 2, "files": 0, "bytes": 0}},
        "by_kind": {"image": {"jobs": 2, "files": 0, "bytes": 0}},
        "jobs": 2,
        "files": 0,
        "bytes": 0,
        "idempotency_keys": 0,
        "failed": 0,
        "failure": None,
    }
    assert left(tmp_path) == ["c"]


def test_orphans_are_looked_for_apart_from_jobs(operate: Operate) -> None:
    assert operate("prune", "--orphans", "--dry-run").stdout == "0 of 0 files (0 B) would be deleted.\n"
    assert operate("prune", "--orphans", "--older-than", "1d").exit_code == 2


def test_where_no_installation_is_none_is_made(operate: Operate, tmp_path: Path) -> None:
    elsewhere = operate("prune", "--older-than", "1d", SAFELIGHT_DATA_DIR=str(tmp_path / "typo"))
    assert (elsewhere.exit_code, "There is no database at" in elsewhere.stderr) == (1, True)
    assert not (tmp_path / "typo").exists()
