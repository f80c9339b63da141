"""Settings come from four places, remember which, and refuse everything they do not understand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.domain.errors import BadSettings
from safelight.settings import Settings, describe, load_settings, settings_table_markdown
from safelight.settings.fields import variable

HERE = Path("/nowhere/at/all")


def problems_of(environ: dict[str, str], cwd: Path = HERE, **overrides: Any) -> list[str]:
    with pytest.raises(BadSettings) as caught:
        load_settings(environ, cwd=cwd, overrides=overrides)
    found: list[str] = caught.value.evidence["problems"]
    assert all(problem in str(caught.value) for problem in found)
    return found


def test_without_anything_set_the_defaults_are_absolute_and_local() -> None:
    settings = load_settings({}, cwd=HERE)
    assert settings.data_dir == HERE / "safelight-data"
    assert settings.database_address == "sqlite:////nowhere/at/all/safelight-data/safelight.db"
    assert settings.storage_address == "file:///nowhere/at/all/safelight-data/assets"
    assert (settings.host, settings.port, settings.queue) == ("127.0.0.1", 8000, "database")
    assert set(settings.sources.values()) == {"default"}


def test_the_command_line_wins_over_the_environment_over_the_file_over_the_default(tmp_path: Path) -> None:
    (tmp_path / "safelight.toml").write_text('port = 1\nhost = "file"\nlog_level = "error"\n')
    environ = {"SAFELIGHT_PORT": "2", "SAFELIGHT_HOST": "environment"}
    settings = load_settings(environ, cwd=tmp_path, overrides={"port": 3, "host": None})
    assert (settings.port, settings.host, settings.log_level, settings.queue) == (3, "environment", "error", "database")
    sources = settings.sources
    assert sources["port"] == "command line"
    assert sources["host"] == "environment SAFELIGHT_HOST"
    assert sources["log_level"] == sources["config"] == "safelight.toml"
    assert sources["queue"] == "default"


def test_a_value_may_be_kept_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("0123456789abcdef\n")
    settings = load_settings({"SAFELIGHT_SECRET_FILE": "secret"}, cwd=tmp_path)
    assert settings.secret == "0123456789abcdef"
    assert settings.sources["secret"] == f"file SAFELIGHT_SECRET_FILE={tmp_path}/secret"


def test_a_value_and_its_file_at_once_are_refused(tmp_path: Path) -> None:
    (tmp_path / "port").write_text("1")
    problems = problems_of({"SAFELIGHT_PORT": "2", "SAFELIGHT_PORT_FILE": "port"}, tmp_path)
    assert problems == ["SAFELIGHT_PORT and SAFELIGHT_PORT_FILE are both set; keep one of them."]


def test_an_unreadable_value_file_is_named(tmp_path: Path) -> None:
    (problem,) = problems_of({"SAFELIGHT_SECRET_FILE": "/nowhere/secret"}, tmp_path)
    assert problem.startswith("SAFELIGHT_SECRET_FILE=/nowhere/secret cannot be read: No such file")


def test_the_toml_file_may_be_elsewhere_but_must_then_exist(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("lease_seconds = 12\n")
    settings = load_settings({"SAFELIGHT_CONFIG": "other.toml"}, cwd=tmp_path)
    assert settings.lease_seconds == 12
    assert settings.config == tmp_path / "other.toml"
    (problem,) = problems_of({"SAFELIGHT_CONFIG": "gone.toml"}, tmp_path)
    assert problem.startswith("gone.toml cannot be read")


def test_broken_toml_is_reported_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "safelight.toml").write_text("port = 1\nhost = \n")
    (problem,) = problems_of({}, tmp_path)
    assert "line 2" in problem


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("SAFELIGHT_PROT", "SAFELIGHT_PORT"),
        ("SAFELIGHT_DATADIR", "SAFELIGHT_DATA_DIR"),
        ("SAFELIGHT_SECERT_FILE", "SAFELIGHT_SECRET"),
        ("SAFELIGHT_port", "SAFELIGHT_PORT"),
    ],
)
def test_a_misspelt_variable_is_an_error_naming_the_nearest(name: str, nearest: str) -> None:
    assert problems_of({name: "x"}) == [f"{name} is not a setting; did you mean {nearest}?"]


def test_a_variable_like_nothing_we_know_is_an_error_too() -> None:
    (problem,) = problems_of({"SAFELIGHT_XYZZY": "1"})
    assert problem.startswith("SAFELIGHT_XYZZY is not a setting; take it out.")


@pytest.mark.parametrize(
    ("line", "nearest"),
    [("prot = 1", "port"), ('"SAFELIGHT_PORT" = 1', "port"), ("data-dir = 'x'", "data_dir"), ("[port]", None)],
)
def test_a_misspelt_key_in_the_file_is_an_error_naming_the_nearest(
    tmp_path: Path, line: str, nearest: str | None
) -> None:
    (tmp_path / "safelight.toml").write_text(line + "\n")
    (problem,) = problems_of({}, tmp_path)
    assert f"did you mean {nearest}?" in problem if nearest else "it takes a whole number" in problem


def test_variables_of_tests_other_programs_and_empty_ones_are_left_alone() -> None:
    environ = {"SAFELIGHT_TEST_POSTGRES_URL": "x", "PORT": "7", "SAFELIGHT_PORT": "", "HOME": "/"}
    assert load_settings(environ, cwd=HERE).port == 8000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "80.5"),
        ("HOST", "http://here"),
        ("LEASE_SECONDS", "0.5"),
        ("LEASE_SECONDS", "nan"),
        ("MAX_WAIT_SECONDS", "inf"),
        ("DRAIN_SECONDS", "-1"),
        ("WORKER_CONCURRENCY", "0"),
        ("QUEUE", "celery"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
        ("PUBLIC_URL", "pictures.example.org"),
        ("PUBLIC_URL", "https://pictures.example.org/?a=1"),
        ("DATABASE_URL", "mysql://here/db"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "postgresql://here"),
        ("STORAGE_URL", "assets"),
        ("STORAGE_URL", "file:///"),
        ("STORAGE_URL", "file://host/path"),
        ("STORAGE_URL", "s3://"),
        ("DATA_DIR", "~nobody-of-that-name/x"),
    ],
)
def test_a_wrong_value_is_shown_with_what_the_setting_takes(name: str, value: str) -> None:
    (problem,) = problems_of({f"SAFELIGHT_{name}": value})
    assert problem.startswith(f"SAFELIGHT_{name} is '{value}'; it takes ")


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "safelight.toml").write_text("port = true\nhots = 'x'\n")
    environ = {"SAFELIGHT_QUEUE": "none", "SAFELIGHT_PROT": "1", "SAFELIGHT_SECRET_FILE": "/nowhere/x"}
    problems = problems_of(environ, tmp_path, worker_concurrency=0)
    assert len(problems) == 6
    assert "--worker-concurrency is 0; it takes a whole number from 1 to 10000." in problems
    assert "port in safelight.toml is True; it takes a whole number from 0 to 65535." in problems


@pytest.mark.parametrize("number", [True, "1", 1.0])
def test_numbers_in_the_file_are_numbers_not_booleans(tmp_path: Path, number: Any) -> None:
    (tmp_path / "safelight.toml").write_text(f"port = {str(number).lower() if number is True else repr(number)}\n")
    if number is True:
        assert "port in safelight.toml is True" in problems_of({}, tmp_path)[0]
    else:
        assert load_settings({}, cwd=tmp_path).port == 1


def test_urls_and_paths_are_made_absolute() -> None:
    settings = load_settings(
        {
            "SAFELIGHT_DATABASE_URL": "sqlite:///here/../db.sqlite",
            "SAFELIGHT_DATA_DIR": "with space",
            "SAFELIGHT_PUBLIC_URL": "https://example.org/safelight/",
            "SAFELIGHT_CATALOG": "own.toml",
        },
        cwd=HERE,
    )
    assert settings.database_address == f"sqlite:///{HERE}/db.sqlite"
    assert settings.storage_address == f"file://{HERE}/with%20space/assets"
    assert settings.public_url == "https://example.org/safelight"
    assert settings.catalog == HERE / "own.toml"


def test_no_secret_appears_in_what_is_printed() -> None:
    environ = {
        "SAFELIGHT_SECRET": "hush-hush-hush-hush",
        "SAFELIGHT_API_KEY": "hush",
        "SAFELIGHT_DATABASE_URL": "postgresql://ann:hush@db/safelight",
    }
    settings = load_settings(environ, cwd=HERE)
    rows = {row.name: row for row in describe(settings)}
    assert rows["SAFELIGHT_SECRET"].value == "***"
    assert rows["SAFELIGHT_DATABASE_URL"].value == "postgresql://ann:***@db/safelight"
    assert "hush" not in repr(settings) + str(rows)
    assert settings.database_address == environ["SAFELIGHT_DATABASE_URL"]


def test_no_secret_appears_in_an_error() -> None:
    problems = problems_of({"SAFELIGHT_SECRET": "hush", "SAFELIGHT_DATABASE_URL": "mysql://ann:hush@db/x"})
    assert len(problems) == 2
    assert "hush" not in str(problems)


def test_what_is_in_force_is_listed_with_its_source_and_default() -> None:
    rows = {row.name: row for row in describe(load_settings({"SAFELIGHT_PORT": "9"}, cwd=HERE))}
    port = rows["SAFELIGHT_PORT"]
    assert (port.value, port.source, port.default) == ("9", "environment SAFELIGHT_PORT", "8000")
    assert rows["SAFELIGHT_LEASE_SECONDS"].value == "30"
    assert rows["SAFELIGHT_STORAGE_URL"].value == f"file://{HERE}/safelight-data/assets"
    assert rows["SAFELIGHT_SECRET"].value == "drawn once, kept in the database"


def test_the_table_has_a_line_for_every_setting_and_no_machine_path() -> None:
    table = settings_table_markdown()
    assert all(f"| `{variable(name)}` | " in table for name in Settings.model_fields)
    assert str(Path.cwd()) not in table
    assert len(table.splitlines()) == 2 + len(Settings.model_fields)


def reasons_against(environ: dict[str, str]) -> list[str]:
    try:
        load_settings(environ, cwd=HERE)
    except BadSettings as error:
        return list(error.evidence["problems"])
    return []


@given(st.dictionaries(st.text(max_size=12).map("SAFELIGHT_".__add__), st.text(max_size=12), max_size=4))
def test_any_environment_gives_settings_or_reasons(environ: dict[str, str]) -> None:
    assert len(reasons_against(environ)) <= len(environ)


FIELD_NAMES = st.sampled_from([f"SAFELIGHT_{name.upper()}" for name in Settings.model_fields])
ODD_VALUES = st.text(max_size=20) | st.sampled_from(["//[", "http://[", "a://\x00", "~nobody/x", "http://a:x"])


@given(st.dictionaries(FIELD_NAMES, ODD_VALUES, max_size=3))
def test_any_value_of_a_real_setting_is_taken_or_refused_with_reasons(environ: dict[str, str]) -> None:
    assert len(reasons_against(environ)) <= 2 * len(environ)


def test_reading_settings_loads_no_heavy_library() -> None:
    code = (
        "import sys, safelight.settings; "
        "print([m for m in ('sqlalchemy', 'fastapi', 'structlog', 'jsonschema', 'obstore', 'PIL', 'httpx', 'rich')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_keys_of_providers_are_read_under_their_usual_names(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-test-gemini\n")
    environ = {"OPENAI_API_KEY": "sk-test-1", "HUGGINGFACE_API_KEY": "hf-test", "GEMINI_API_KEY_FILE": "key"}
    settings = load_settings(environ, cwd=tmp_path)
    assert (settings.openai_api_key, settings.huggingface_api_key) == ("sk-test-1", "hf-test")
    assert settings.gemini_api_key == "sk-test-gemini"
    assert settings.sources["openai_api_key"] == "environment OPENAI_API_KEY"
    rows = {row.name: row for row in describe(settings)}
    assert not any(key in row.value for row in rows.values() for key in ("sk-test", "hf-test")), "a key was shown"
    assert rows["HF_TOKEN"].source == "environment HUGGINGFACE_API_KEY"


def test_the_usual_name_that_is_more_usual_wins() -> None:
    settings = load_settings({"HF_TOKEN": "hf-test-1", "HUGGINGFACE_API_KEY": "hf-test-2"}, cwd=HERE)
    assert settings.huggingface_api_key == "hf-test-1"


def test_a_key_under_our_prefix_is_taken_too_but_not_both() -> None:
    assert load_settings({"SAFELIGHT_OPENAI_API_KEY": "sk-test"}, cwd=HERE).openai_api_key == "sk-test"
    problems = problems_of({"SAFELIGHT_OPENAI_API_KEY": "sk-test", "OPENAI_API_KEY": "sk-test"})
    assert problems == ["OPENAI_API_KEY and SAFELIGHT_OPENAI_API_KEY are both set; keep one of them."]


def test_private_hosts_are_listed_with_commas_or_as_a_list_and_each_needs_a_port(tmp_path: Path) -> None:
    environ = {"SAFELIGHT_ALLOW_PRIVATE_HOSTS": "Files.local:9000, [::1]:80,"}
    assert load_settings(environ, cwd=HERE).allow_private_hosts == ("files.local:9000", "[::1]:80")
    (tmp_path / "safelight.toml").write_text('allow_private_hosts = ["files.local:9000"]\n')
    settings = load_settings({}, cwd=tmp_path)
    assert settings.allow_private_hosts == ("files.local:9000",)
    shown = {row.name: row.value for row in describe(settings)}
    assert shown["SAFELIGHT_ALLOW_PRIVATE_HOSTS"] == "files.local:9000"


@pytest.mark.parametrize(
    "wrong", ["files.local", "files.local:0", "files.local:x", "http://a:80", "u@a:80", "a:80/x", "*"]
)
def test_a_private_host_is_not_exempt_by_half(wrong: str) -> None:
    (problem,) = problems_of({"SAFELIGHT_ALLOW_PRIVATE_HOSTS": wrong})
    assert "takes host:port" in problem
