"""The project's own rules catch what they are meant to catch, and let through what is right."""

from __future__ import annotations

import pytest

from tools.check_rules import check, main


def advice(path: str, text: str) -> list[str]:
    return [violation.advice for violation in check(path, text)]


@pytest.mark.parametrize(
    "write",
    [
        "update(jobs).values(status='failed')",
        "sa.update(tables.jobs)",
        "tables.jobs.update()",
        "tables.jobs.delete()",
        "insert(jobs)",
        'text("UPDATE jobs SET status = 1")',
        'text("update jobs set status = 1")',
        'text("INSERT INTO jobs VALUES (1)")',
        'text("DELETE\\n FROM jobs")',
    ],
)
def test_only_services_write_job_rows(write: str) -> None:
    assert advice("src/safelight/maintenance/sweeper.py", write) == ["only services/ writes job rows: call a use case"]
    assert advice("src/safelight/services/cancel.py", write) == []


def test_a_write_under_another_name_is_still_seen() -> None:
    text = "from sqlalchemy import update as change\nfrom safelight.store.tables import jobs as j\nchange(j)\n"
    (violation,) = check("src/safelight/api/jobs.py", text)
    assert violation.line == 3


@pytest.mark.parametrize("table", ["accounts", "ledger"])
def test_only_the_credit_service_writes_money(table: str) -> None:
    write = f"insert(tables.{table})"
    assert advice("src/safelight/services/submit.py", write) == [
        f"only services/credits.py writes {table}: call its functions"
    ]
    assert advice("src/safelight/services/credits.py", write) == []


def test_reading_and_telling_about_jobs_is_free_to_all() -> None:
    text = '"""UPDATE jobs SET x: a docstring."""\nselect(jobs)\nlog.info("could not update jobs")\nnames.update(x)\n'
    assert advice("src/safelight/api/jobs.py", text) == []


def test_migrations_may_write_any_table() -> None:
    assert advice("src/safelight/store/migrations/0002.py", 'op.execute("UPDATE jobs SET x = 1")') == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("src/safelight/domain/jobs.py", "import pydantic"),
        ("src/safelight/domain/jobs.py", "from sqlalchemy.sql import select"),
        ("src/safelight/domain/jobs.py", "from safelight.ledger import entries"),
        ("src/safelight/ledger/entries.py", "from safelight import store"),
    ],
)
def test_domain_and_ledger_import_nothing_but_python(path: str, line: str) -> None:
    assert len(advice(path, line)) == 1


def test_domain_may_import_the_standard_library_and_itself() -> None:
    text = "import uuid\nfrom collections.abc import Mapping\nfrom safelight.domain.errors import NotFound\n"
    assert advice("src/safelight/domain/jobs.py", text) == []
    assert advice("src/safelight/ledger/entries.py", text) == []


@pytest.mark.parametrize("word", ["TO" + "DO", "FIX" + "ME", "raise NotImplemented" + "Error"])
def test_unfinished_work_is_found_in_any_file(word: str) -> None:
    (violation,) = check("docs/guide.md", f"First line.\n# {word}: later\n")
    assert violation.line == 2


@pytest.mark.parametrize("host", ["py" + "pi.org", "files.python" + "hosted.org", "registry.npm" + "js.org"])
def test_registry_addresses_are_found(host: str) -> None:
    assert len(advice("requirements/base.txt", f"--index-url https://{host}/simple\n")) == 1


@pytest.mark.parametrize("folder", ["/ro" + "ot", "/wo" + "rk", "/t" + "mp"])
@pytest.mark.parametrize("before", ["", " ", '"', "(", "="])
def test_paths_of_one_machine_are_found(folder: str, before: str) -> None:
    (violation,) = check("docs/guide.md", f"one\n{before}{folder}/place\n")
    assert violation.line == 2


def test_the_repository_itself_keeps_all_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 0, capsys.readouterr().out
