"""The edge: two lines instead of a traceback, exit codes, interrupts, closed pipes, colours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner, Result

from safelight.cli.edge import Edge, explain
from safelight.client import ServerUnreachable
from safelight.domain.errors import BadCatalog, BadSettings, OperatorError, Remedy, Unavailable
from tests.unit.cli.conftest import Run
from tests.unit.cli.stand_in import JOB_ID, StandIn, event, job

HERE = {name: value for name, value in os.environ.items() if not name.startswith("SAFELIGHT_")}


def run_with(error: BaseException, *words: str) -> Result:
    """Run an application whose only command raises `error`."""
    app = typer.Typer(cls=Edge, rich_markup_mode=None, pretty_exceptions_enable=False)

    @app.callback()
    def root(debug: bool = False) -> None:
        pass

    @app.command()
    def fail(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
        raise error

    options = [word for word in words if word != "--json"]
    return CliRunner().invoke(app, [*options, "fail", *(["--json"] if "--json" in words else [])])


def test_an_error_is_what_happened_and_one_thing_to_do() -> None:
    result = run_with(Unavailable("The disk is full.", remedy=Remedy("Free some.", "df -h")))
    assert (result.stderr, result.exit_code) == ("The disk is full.\nFree some. (df -h)\n", 1)


def test_with_json_an_error_is_one_document_on_standard_error() -> None:
    result = run_with(Unavailable("The disk is full.", remedy=Remedy("Free some.", "df -h")), "--json")
    assert json.loads(result.stderr)["error"] == {
        "what": "The disk is full.",
        "remedy": "Free some. (df -h)",
        "details": [],
    }
    assert (result.stdout, result.exit_code) == ("", 1)


@pytest.mark.parametrize("error", [BadSettings, BadCatalog])
def test_a_bad_configuration_is_misuse(error: type[OperatorError]) -> None:
    assert run_with(error("Bad.", remedy=Remedy("Mend."))).exit_code == 2


def test_what_to_check_depends_on_what_the_system_said() -> None:
    assert explain(FileNotFoundError(2, "No such file or directory", "a.png")).remedy == "Check the path."
    assert "free space" in explain(OSError(28, "No space left on device", "a.png")).remedy


def test_a_defect_is_called_one_and_leads_to_debug() -> None:
    result = run_with(ZeroDivisionError("division"))
    assert "ZeroDivisionError: division" in result.stderr
    assert "--debug" in result.stderr
    assert result.exit_code == 1


def test_debug_lets_the_traceback_through() -> None:
    error = ZeroDivisionError("division")
    assert run_with(error, "--debug").exception is error


def test_an_interrupt_exits_with_130_and_says_nothing() -> None:
    result = run_with(KeyboardInterrupt())
    assert (result.output.strip(), result.exit_code) == ("", 130)


def test_a_file_that_cannot_be_written_is_named() -> None:
    failure = explain(PermissionError(13, "Permission denied", "/etc/boat.png"))
    assert failure.what == "Permission denied (/etc/boat.png)."


def test_an_unreachable_server_is_a_finding() -> None:
    assert explain(ServerUnreachable("http://here", "the connection was not accepted")).exit_code == 1


def test_a_server_that_does_not_answer_is_told_in_two_lines(run: Run, server: StandIn) -> None:
    server.replies["GET /api/jobs"] = b"a picture"
    result = run("jobs", "list")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 2


def test_an_address_that_is_none_is_told_with_its_setting(tmp_path: Path) -> None:
    result = _safelight("jobs", "list", cwd=tmp_path, SAFELIGHT_URL="nonsense")
    assert "SAFELIGHT_URL" in result.stderr
    assert result.returncode == 2


def test_looking_where_no_database_is_makes_none(tmp_path: Path) -> None:
    result = _safelight("jobs", "list", cwd=tmp_path)
    assert "There is no database" in result.stderr
    assert result.returncode == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["jobs", "list", "--json"], ["jobs", "show", JOB_ID]])
def test_a_closed_pipe_ends_the_command_without_a_word(server: StandIn, tmp_path: Path, words: list[str]) -> None:
    server.replies[f"GET /api/jobs/{JOB_ID}"] = 200, job("failed")
    server.replies[f"GET /api/jobs/{JOB_ID}/events"] = [event("job.failed", 9)]
    server.replies["GET /api/jobs"] = 200, {"jobs": [job()] * 200, "nextCursor": None}
    command = [sys.executable, "-m", "safelight", *words]
    environment = HERE | {"SAFELIGHT_URL": server.url}
    with subprocess.Popen(
        command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(timeout=30) == 141
        assert process.stderr.read() == b""


@pytest.mark.parametrize("words", [["--version"], ["jobs", "list"]])
def test_no_colours_reach_a_pipe(server: StandIn, tmp_path: Path, words: list[str]) -> None:
    server.replies["GET /api/jobs"] = 200, {"jobs": [job()], "nextCursor": None}
    result = _safelight(*words, cwd=tmp_path, SAFELIGHT_URL=server.url)
    assert result.returncode == 0
    assert "\x1b" not in result.stdout + result.stderr


def _safelight(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "safelight", *words]
    return subprocess.run(
        command, env=HERE | environment, cwd=cwd, capture_output=True, text=True, timeout=30, check=False
    )
