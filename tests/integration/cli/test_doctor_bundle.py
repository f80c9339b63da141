"""`safelight doctor --bundle`: what a stranger may see, and nothing else, however it came in."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

from safelight.store.database import Database
from tests.integration.cli.conftest import Run
from tests.integration.services.scene import set_scene, submitted
from tests.integration.services.test_audit import run as run_sql

PLANTED = {
    "SAFELIGHT_SECRET": "planted-signing-words-of-nobody-0987",
    "SAFELIGHT_API_KEYS": "planted-key-of-ann-0123456:ann:jobs",
    "OPENAI_API_KEY": "sk-test-planted-5555555555",
    "SAFELIGHT_STORAGE_URL": "",
}
WHISPERS = ("planted", "my-secret-prompt", "ann.person@example.org", "sk-test", "whsec_")


def contents(file: Path) -> dict[str, Any]:
    with tarfile.open(file) as archive:
        return {
            Path(each.name).name: json.loads(opened.read())
            for each in archive.getmembers()
            if (opened := archive.extractfile(each))
        }


def test_no_key_prompt_or_user_is_in_it(run: Run, database: Database, tmp_path: Path) -> None:
    with database.transaction() as tx:
        set_scene(tx, users=("ann.person@example.org",))
        submitted(tx, "a", user="ann.person@example.org", prompt="my-secret-prompt")
        run_sql(
            tx,
            "UPDATE jobs SET status = 'failed', finished_at = created_at, ready = FALSE, settled = TRUE,"
            """ error = '{"code": "timeout", "provider": "fake", "message": "my-secret-prompt, planted"}'""",
            "INSERT INTO webhook_secrets (user_id, secret) VALUES ('ann.person@example.org', 'whsec_planted')",
        )
    file = tmp_path / "bundle.tar.gz"
    result = run("doctor", "--bundle", str(file), **PLANTED)
    assert result.exit_code in (0, 1), result.output
    found = contents(file)
    assert set(found) == {
        "report.json",
        "settings.json",
        "problems.json",
        "versions.json",
        "rows.json",
        "failed.json",
    }
    text = json.dumps(found)
    assert [word for word in WHISPERS if word in text] == []
    (job,) = found["failed.json"]
    assert (job["id"], job["error"]["code"], job["error"]["provider"]) == ("a", "timeout", "fake")
    assert found["report.json"]["status"] in ("healthy", "degraded", "unhealthy")


def test_a_file_that_is_there_is_not_written_over(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "bundle.tar.gz"
    file.write_text("dear")
    result = run("doctor", "--bundle", str(file))
    assert result.exit_code == 2
    assert file.read_text() == "dear"


def test_it_is_written_of_a_dead_database_too(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "bundle.tar.gz"
    dead = "postgresql://postgres:planted@127.0.0.1:9/gone"
    result = run("doctor", "--bundle", str(file), SAFELIGHT_DATABASE_URL=dead)
    assert result.exit_code == 1
    found = contents(file)
    assert found["rows.json"] is None
    assert found["report.json"]["findings"][0]["code"] == "DATABASE_UNREACHABLE"
    assert "planted" not in json.dumps(found)
