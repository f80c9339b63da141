"""`safelight keys ...`: shown once, listed without the secret, revoked by what the list shows."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from safelight.cli.main import app
from safelight.domain.access import hashed
from safelight.services.api_keys import key_by_hash
from safelight.store.connect import open_database
from tests.integration.cli.conftest import Run


def test_a_key_is_printed_once_and_kept_as_a_hash(run: Run, database_url: str) -> None:
    made = run("keys", "create", "--user", "ann", "--scope", "jobs+read", "--name", "her phone")
    assert made.exit_code == 0
    key = made.stdout.strip()
    assert re.fullmatch(r"sk-safelight-[A-Za-z0-9_-]{32}", key)
    assert "Local mode is over" in made.stderr
    assert key not in made.stderr
    listed = run("keys", "list")
    assert "ann" in listed.stdout
    assert "her phone" in listed.stdout
    assert key not in listed.stdout
    assert "Local mode" not in run("keys", "create").stderr
    database = open_database(database_url)
    with database.reading() as tx:
        found, _ = key_by_hash(tx, hashed(key))
    database.close()
    assert found is not None
    assert found.scopes == {"jobs", "read"}


def test_as_json_it_has_all_that_a_script_needs(run: Run) -> None:
    words = ["--user", "bob", "--scope", "jobs", "--scope", "admin", "--expires-days", "30", "--json"]
    made = json.loads(run("keys", "create", *words).stdout)
    assert (made["user_id"], made["scopes"], made["status"]) == ("bob", ["jobs", "admin"], "valid")
    assert made["expires_at"] > made["created_at"]
    (listed,) = json.loads(run("keys", "list", "--json").stdout)
    assert listed == {name: value for name, value in made.items() if name != "key"}


@pytest.mark.parametrize("by", ["id", "end", "key"])
def test_a_key_is_revoked_by_what_one_has_of_it(run: Run, by: str) -> None:
    made = json.loads(run("keys", "create", "--json").stdout)
    name = {"id": made["id"], "end": made["id"][-8:].upper(), "key": made["key"]}[by]
    result = run("keys", "revoke", name)
    assert (result.exit_code, result.stdout) == (0, f"Key {made['id']} of user local is revoked.\n")
    assert "was revoked" in run("keys", "revoke", name).stdout
    assert json.loads(run("keys", "list", "--json").stdout)[0]["status"] == "revoked"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["create", "--scope", "root"], 2, "jobs, read, admin"),
        (["create", "--user", " "], 2, "no user's name"),
        (["create", "--expires-days", "0"], 2, "1"),
        (["revoke", "abcdef12"], 1, "There is no key"),
        (["revoke", "sk-safelight-nobody-has-this"], 1, "'sk-safelight-…'"),
    ],
)
def test_what_makes_no_sense_is_refused(run: Run, words: list[str], code: int, says: str) -> None:
    result = run("keys", *words)
    assert (result.exit_code, result.stdout) == (code, "")
    assert says in " ".join(result.stderr.split())


def test_there_may_be_no_database_yet_when_the_first_key_is_made(tmp_path: Path) -> None:
    environment: dict[str, str | None] = dict.fromkeys(name for name in os.environ if name.startswith("SAFELIGHT_"))
    environment |= {"SAFELIGHT_DATA_DIR": str(tmp_path / "data")}

    def said(*words: str) -> Result:
        return CliRunner().invoke(app, ["keys", *words], env=environment)

    assert said("list").exit_code == 1
    assert not (tmp_path / "data").exists()
    assert said("create").exit_code == 0
    assert said("list").exit_code == 0


def test_nothing_is_listed_where_there_is_no_key(run: Run) -> None:
    result = run("keys", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "local mode" in result.stderr


def test_the_operator_lists_the_jobs_of_others_by_name(run: Run) -> None:
    run("keys", "create", "--user", "ann")
    assert run("jobs", "list", "--user", "ann").stderr.strip() == "No such jobs."
