"""`safelight jobs ...`: tables of 80 columns, pure JSON, exit codes."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.cli.stand_in import ASSET, JOB_ID, OTHER_ID, StandIn, event, job

LONG = "a harbour at night " * 10


def lists(server: StandIn, *jobs: dict[str, object], cursor: str | None = None) -> None:
    server.replies["GET /api/jobs"] = 200, {"jobs": list(jobs), "nextCursor": cursor}


def test_the_list_fits_80_columns_and_cuts_long_prompts(run: Run, server: StandIn) -> None:
    lists(server, job(prompt=LONG), job("processing", id=OTHER_ID, model="m" * 40))
    lines = run("jobs", "list").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["ID", "STATUS", "MODEL", "CREATED", "PROMPT"]
    assert lines[1].startswith("0000abcd  completed   procedural")
    assert "…" in lines[1]
    assert len(lines) == 3


def test_the_text_of_others_cannot_steer_the_terminal(run: Run, server: StandIn) -> None:
    lists(server, job(prompt="a \x1b[2Jboat\nnext \u202eline [bold]x[/bold] :cat:"))
    line = run("jobs", "list").stdout.splitlines()[1]
    assert line.rstrip().endswith("a \ufffd[2Jboat next \ufffdline [bold]x[/b…")


def test_the_list_as_json_is_the_servers_answer(run: Run, server: StandIn) -> None:
    lists(server, job(), cursor="c1")
    assert json.loads(run("jobs", "list", "--json").stdout) == {"jobs": [job()], "nextCursor": "c1"}


def test_filters_reach_the_server(run: Run, server: StandIn) -> None:
    lists(server)
    assert "No such jobs." in run("jobs", "list", "--status", "failed", "--limit", "5").stderr
    assert server.asked[0][0] == "GET /api/jobs?limit=5&status=failed"


def test_a_status_that_does_not_exist_is_misuse(run: Run) -> None:
    assert run("jobs", "list", "--status", "lost").exit_code == 2


def test_showing_a_job_tells_what_happened_when(run: Run, server: StandIn) -> None:
    shown = job(assets=[ASSET | {"url": f"http://127.0.0.1:8000/api/assets/a?sig={'s' * 90}"}])
    server.replies[f"GET /api/jobs/{JOB_ID}"] = 200, shown
    news = [event("job.submitted", 1), event("job.started", 10, {"attempt": 1})]
    server.replies[f"GET /api/jobs/{JOB_ID}/events"] = [*news, event("job.completed", 420, shown)]
    result = run("jobs", "show", JOB_ID)
    assert result.exit_code == 0
    assert "Took     waited 0.01 s, ran 0.41 s" in result.stdout
    assert [line.split() for line in result.stdout.splitlines() if line.startswith("03:04:05")] == [
        ["03:04:05.001", "submitted"],
        ["03:04:05.010", "started", "+0.01", "s"],
        ["03:04:05.420", "completed", "+0.41", "s"],
    ]
    assert result.stdout.endswith(f"{shown['assets'][0]['url']}\n")


@pytest.mark.parametrize(
    ("info", "words"),
    [
        ({"position": 3, "waiting_for": None}, "3. in the queue"),
        ({"position": 1, "waiting_for": "its queue to be resumed"}, "waits for its queue to be resumed"),
    ],
)
def test_showing_a_job_that_waits_says_why(run: Run, server: StandIn, info: dict[str, object], words: str) -> None:
    server.replies[f"GET /api/jobs/{JOB_ID}"] = 200, job("pending", queue_info=info)
    server.replies[f"GET /api/jobs/{JOB_ID}/events"] = [event("job.submitted", 1)]
    assert f"Status   pending, queued, 0%; {words}" in run("jobs", "show", JOB_ID).stdout


def test_a_failed_job_is_shown_with_its_error_and_exits_with_1(run: Run, server: StandIn) -> None:
    error = {"code": "unavailable", "message": "It broke.", "remedy": "Mend it.", "provider_message": "overloaded"}
    error["provider_request_id"] = "req_7"
    server.replies[f"GET /api/jobs/{JOB_ID}"] = 200, job("failed", error=error)
    server.replies[f"GET /api/jobs/{JOB_ID}/events"] = [event("job.failed", 9, job("failed", error=error))]
    result = run("jobs", "show", JOB_ID)
    assert result.exit_code == 1
    for text in ("It broke.", "Mend it.", "overloaded", "unavailable", "req_7"):
        assert text in result.stdout


def test_a_job_as_json_carries_its_events(run: Run, server: StandIn) -> None:
    server.replies[f"GET /api/jobs/{JOB_ID}"] = 200, job()
    server.replies[f"GET /api/jobs/{JOB_ID}/events"] = [event("job.completed", 9, {})]
    shown = json.loads(run("jobs", "show", JOB_ID, "--json").stdout)
    assert shown == job() | {"events": [event("job.completed", 9, {})]}


@pytest.mark.parametrize("short", ["0000abcd", "abcd", "0199A2C4-0000"])
def test_the_end_or_the_beginning_of_an_id_is_enough(run: Run, server: StandIn, short: str) -> None:
    lists(server, job(id=OTHER_ID), job())
    server.replies[f"POST /api/jobs/{JOB_ID}/cancel"] = 200, {"was": "pending", "job": job("canceled")}
    assert run("jobs", "cancel", short).stdout == f"Job {JOB_ID} is canceled.\n"


def test_an_ambiguous_id_is_misuse_and_names_the_jobs(run: Run, server: StandIn) -> None:
    lists(server, job(id=OTHER_ID), job())
    result = run("jobs", "show", "0199a2c4")
    assert result.exit_code == 2
    assert JOB_ID in result.stderr
    assert OTHER_ID in result.stderr


def test_an_id_that_nobody_has_exits_with_1(run: Run, server: StandIn) -> None:
    lists(server, job())
    assert run("jobs", "show", "ffffffff").exit_code == 1
    assert run("jobs", "show", OTHER_ID).exit_code == 1


def test_what_cannot_be_an_id_is_misuse(run: Run, server: StandIn) -> None:
    assert run("jobs", "show", "ab").exit_code == 2
    assert run("jobs", "show", "nonsense!").exit_code == 2
    assert server.asked == []


@pytest.mark.parametrize(
    ("was", "status", "said", "exit_code"),
    [
        ("pending", "canceled", "is canceled", 0),
        ("processing", "processing", "is being stopped", 0),
        ("ended", "canceled", "had ended already: canceled", 0),
        ("ended", "completed", "had ended already: completed", 1),
    ],
)
def test_a_cancel_tells_what_it_met(
    run: Run, server: StandIn, was: str, status: str, said: str, exit_code: int
) -> None:
    server.replies[f"POST /api/jobs/{JOB_ID}/cancel"] = 200, {"was": was, "job": job(status)}
    result = run("jobs", "cancel", JOB_ID)
    assert said in result.stdout
    assert result.exit_code == exit_code


def test_watching_as_json_prints_an_event_per_line(run: Run, server: StandIn) -> None:
    server.submits(job("canceled"), event("job.started", 2))
    result = run("jobs", "watch", JOB_ID, "--json")
    assert [json.loads(line)["type"] for line in result.stdout.splitlines()] == ["snapshot", "job.started", "snapshot"]
    assert result.exit_code == 1


def test_watching_prints_the_address_at_the_end(run: Run, server: StandIn) -> None:
    server.submits(job(assets=[ASSET | {"url": "http://here/picture"}]))
    assert run("jobs", "watch", JOB_ID).stdout == "http://here/picture\n"
