"""Keys with real servers: who may listen where, what outlives a restart, and the operator's own command line."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from safelight.api.credentials import COOKIE
from tests.support.launch import environ_with, run
from tests.support.server import PATIENCE_S, Installation, installation


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path / "made") as found:
        yield found


def command(made: Installation, *words: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """A command on the same machine."""
    environ = environ_with({"data_dir": made.database.parent, **settings})
    return run(words, cwd=made.database.parents[1], env=environ, timeout_s=PATIENCE_S)


def test_where_others_could_come_in_there_must_be_a_key(made: Installation) -> None:
    refused = made.begin_server("--host", "0.0.0.0")  # noqa: S104  # that is what is refused
    assert refused.wait() == 2
    refused.says("never")
    assert "safelight keys create" in refused.tail()
    assert "SAFELIGHT_API_KEYS" in refused.tail()
    key = command(made, "keys", "create", "--user", "ann").stdout.strip()
    server = made.serve("--no-worker", "--host", "0.0.0.0")  # noqa: S104
    made.url = server.said("server.ready")[0]["url"].replace("0.0.0.0", "127.0.0.1")  # noqa: S104
    assert made.request("GET", "/api/credits").status_code == 401
    answer = made.request("GET", "/api/credits", headers={"Authorization": f"Bearer {key}"})
    assert answer.json()["user_id"] == "ann"


def test_a_server_that_runs_asks_for_keys_from_the_first_one_on_and_its_operator_still_gets_in(
    made: Installation,
) -> None:
    server = made.serve()
    mine = made.submit("the operator's own")
    key = command(made, "keys", "create", "--user", "ann", "--scope", "jobs").stdout.strip()
    _until_refused(made)
    assert made.request("GET", "/api/jobs", headers={"Authorization": f"Bearer {key}"}).json()["jobs"] == []
    listed = command(made, "jobs", "list", "--json")
    assert [job["id"] for job in json.loads(listed.stdout)["jobs"]] == [mine], "straight from the database"
    assert json.loads(command(made, "jobs", "list", "--json", api_key=key).stdout)["jobs"] == []
    assert "credits grant ann" in command(made, "submit", "hers", api_key=key).stderr
    told = command(made, "jobs", "list", url=made.url)
    assert told.returncode == 1
    assert "Set SAFELIGHT_API_KEY" in told.stderr
    session = made.request("POST", "/api/session", json={"key": key}).cookies[COOKIE]
    server.drain()
    made.serve("--no-worker")
    assert made.request("GET", "/api/credits", headers={"Cookie": f"{COOKIE}={session}"}).json()["user_id"] == "ann"


def _until_refused(made: Installation) -> None:
    """What the server knows may be a second old; waiting is all that can be done from outside."""
    give_up_at = time.monotonic() + PATIENCE_S
    while made.request("GET", "/api/jobs").status_code != 401:
        assert time.monotonic() < give_up_at, "it never asked for a key"
