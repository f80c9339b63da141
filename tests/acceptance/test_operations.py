"""Backup, restore and pruning with real processes: a restored installation shows old pictures and makes new ones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from safelight.testing.databases import LentDatabases
from tests.support.books import check_books
from tests.support.launch import environ_with, run
from tests.support.server import PATIENCE_S, Installation, installation


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path / "first") as found:
        yield found


def command(folder: Path, *words: str, code: int = 0, **settings: object) -> Any:
    """Run a command on the installation in a folder, as its operator; what its JSON says."""
    environ = environ_with({"data_dir": folder / "data", **settings})
    done = run([*words, "--json"], cwd=folder.parent, env=environ, timeout_s=PATIENCE_S)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if done.stdout else done.stderr


def picture(made: Installation, job_id: str) -> bytes:
    (asset,) = made.job(job_id)["assets"]
    answer = made.request("GET", asset["url"])
    assert answer.status_code == 200, answer.text
    return answer.content


def test_a_backup_taken_under_load_becomes_an_installation_that_goes_on(made: Installation, tmp_path: Path) -> None:
    server = made.serve()
    done = made.submit_many(3)
    made.until_ended(done)
    before = {job_id: picture(made, job_id) for job_id in done}
    busy = made.submit_many(6)
    backup = tmp_path / "safelight.backup"
    told = command(tmp_path / "first", "backup", str(backup), "--assets")
    assert told["rows"]["jobs"] >= len(done)
    assert "Stop all of its processes first" in command(tmp_path / "first", "restore", str(backup), "--replace", code=1)
    made.until_ended(busy)
    server.drain()

    with installation(tmp_path / "second") as second:
        back = command(tmp_path / "second", "restore", str(backup))
        assert back["rows"] == told["rows"]
        assert back["recovered"]["queues"] >= 1
        check_books(second)
        second.serve()
        assert {job_id: picture(second, job_id) for job_id in done} == before
        later = second.submit()
        queue = next(each for each in command(tmp_path / "second", "queue", "list") if each["name"] == "image")
        assert (queue["pause_reason"], queue["ready"] >= 1) == ("after restore", True)
        command(tmp_path / "second", "queue", "resume", "--all")
        known = [job["id"] for job in second.gallery()]
        assert later in known
        assert {job["status"] for job in second.until_ended(known)} == {"completed"}
        assert picture(second, later).startswith(b"\x89PNG")
        check_books(second)


def test_an_installation_moves_from_sqlite_to_postgres(
    made: Installation, tmp_path: Path, postgres_databases: LentDatabases
) -> None:
    first, backup = tmp_path / "first", tmp_path / "moving"
    server = made.serve()
    job_id = made.submit()
    made.until_ended([job_id])
    before = picture(made, job_id)
    server.drain()
    command(first, "backup", str(backup))
    with postgres_databases.lent() as url:
        command(first, "restore", str(backup), "--no-recover", database_url=url)
        made.serve(database_url=url)
        assert picture(made, job_id) == before
        later = made.submit()
        assert [job["status"] for job in made.until_ended([later])] == ["completed"]
        made.close()


def test_pruned_jobs_are_gone_from_everywhere_but_the_ledger(made: Installation, tmp_path: Path) -> None:
    made.serve()
    ids = made.submit_many(3)
    made.until_ended(ids)
    planned = command(tmp_path / "first", "prune", "--older-than", "0s", "--dry-run")
    assert (planned["jobs"], planned["files"]) == (3, 6)
    done = command(tmp_path / "first", "prune", "--older-than", "0s")
    assert {**done, "dry_run": True} == planned
    assert made.request("GET", f"/api/jobs/{ids[0]}").status_code == 404
    assert made.gallery() == []
    assert [path for path in (tmp_path / "first" / "data" / "assets").rglob("*") if path.is_file()] == []
    assert len(made.rows("SELECT number FROM ledger WHERE kind = 'capture'")) == 3
