"""`explain` and `doctor` of a server that is named: without its database, with a key's rights."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.launch import environ_with, run
from tests.support.server import SMALL, Installation, installation

ADMIN, ANN = "sk-test-of-the-operator-1", "sk-test-of-ann-alone-1"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Installation]:
    """A server with nobody to make pictures."""
    keys = f"{ADMIN}:root:jobs+read+admin,{ANN}:ann:jobs"
    with installation(tmp_path / "made", api_keys=keys) as found:
        found.serve("--no-worker")
        for user in ("root", "ann"):
            code = found.start("credits", "grant", user, "50").wait()
            assert code == 0
        yield found


def asked(made: Installation, folder: Path, key: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A command in a folder where there is no database."""
    env = environ_with({"url": made.url, "api_key": key, "data_dir": folder / "nothing"})
    return run(words, cwd=folder, env=env, timeout_s=60)


def submitted(made: Installation, key: str) -> str:
    body: dict[str, Any] = {"kind": "image", "model": "procedural", "prompt": "a lighthouse", "params": SMALL}
    answer = made.request("POST", "/api/jobs", json=body, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def test_the_operator_reads_the_whole_story_and_what_is_wrong(made: Installation, tmp_path: Path) -> None:
    job = submitted(made, ADMIN)
    said = asked(made, tmp_path, ADMIN, "explain", job[-8:])
    assert (said.returncode, "error NO_WORKER_FOR_QUEUE image" in said.stdout) == (1, True), said.stdout + said.stderr
    assert "safelight worker --queue image" in said.stdout
    report = json.loads(asked(made, tmp_path, ADMIN, "doctor", "--json").stdout)
    assert (report["status"], report["findings"][0]["code"]) == ("unhealthy", "NO_WORKER_FOR_QUEUE")
    assert not (tmp_path / "nothing").exists()


def test_an_owner_is_told_what_concerns_them_and_nothing_of_others(made: Installation, tmp_path: Path) -> None:
    job, anothers = submitted(made, ANN), submitted(made, ADMIN)
    said = asked(made, tmp_path, ANN, "explain", job)
    assert "It waits for a machine that makes such jobs" in said.stdout
    assert "safelight worker" not in said.stdout
    refused = asked(made, tmp_path, ANN, "explain", anothers)
    assert refused.returncode != 0
    assert "NO_WORKER" not in refused.stdout
    assert asked(made, tmp_path, ANN, "doctor").returncode != 0, "that is for readers of health"


def test_a_server_that_is_gone_is_said_to_be(made: Installation, tmp_path: Path) -> None:
    made.started[0].drain()
    said = asked(made, tmp_path, ADMIN, "doctor")
    assert said.returncode != 0
    assert made.url in said.stderr
