"""`safelight batch` and `safelight jobs retry, replay, items`: what is asked of the server, and what is printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.cli.stand_in import ASSET, JOB_ID, OTHER_ID, StandIn, event, job, problem

WORKER = {
    "status": "online",
    "slots": 4,
    "queues": ["image"],
    "lastHeartbeat": "2026-01-02T03:04:05.000Z",
}
BATCH: dict[str, Any] = {"kind": "batch", "model": None, "queue": None, "prompt": None, "params": {}}


def a_batch(status: str = "completed", **by_status: int) -> dict[str, Any]:
    counts = by_status or {"completed": 2}
    return job(status, **BATCH, items={"total": sum(counts.values()), "by_status": counts, "url": "x"})


def takes(server: StandIn, ended: dict[str, Any], *items: dict[str, Any]) -> None:
    """A server with a worker that takes a batch and ends it like this."""
    server.submits(ended, event("job.started", 2))
    server.replies["POST /api/jobs"] = 202, a_batch("pending", pending=2)
    server.replies[f"GET /api/jobs/{JOB_ID}/items"] = 200, {"jobs": list(items), "nextCursor": None}
    server.replies["GET /api/health/workers"] = 200, [WORKER]


def asked(server: StandIn, what: str = "POST /api/jobs") -> Any:
    return next(body for line, _, body in server.asked if line == what)


def test_each_line_of_a_file_is_a_prompt(run: Run, server: StandIn, tmp_path: Path) -> None:
    takes(server, a_batch(), job())
    (tmp_path / "prompts.txt").write_text("a fox\n\n  an owl \n")
    words = ("-m", "one", "-m", "two", "-n", "3", "-p", "width=256", "-l", "book=7")
    result = run("batch", str(tmp_path / "prompts.txt"), "--no-wait", *words)
    assert (result.exit_code, result.stdout) == (0, f"{JOB_ID}\n")
    request = asked(server)
    assert request["prompts"] == ["a fox", "an owl"]
    assert (request["kind"], request["models"], request["n"]) == ("batch", ["one", "two"], 3)
    assert (request["params"], request["labels"]) == ({"width": 256}, {"book": "7"})


def test_a_json_list_from_standard_input_holds_whole_jobs(run: Run, server: StandIn) -> None:
    takes(server, a_batch(), job())
    jobs = [{"prompt": "a fox", "params": {"n": 2}}, {"prompt": "an owl", "kind": "image"}]
    assert run("batch", "-", "--no-wait", "-m", "one", input=json.dumps(jobs)).exit_code == 0
    assert (asked(server)["items"], asked(server)["model"]) == (jobs, "one")


def test_a_json_object_per_line_is_a_job_and_no_prompt(run: Run, server: StandIn) -> None:
    lines = '{"prompt": "a fox"}\n\n{"prompt": "an owl"}\n'
    takes(server, a_batch(), job())
    run("batch", "-", "--no-wait", input=lines)
    assert asked(server)["items"] == [{"prompt": "a fox"}, {"prompt": "an owl"}]
    assert run("batch", "-", "--no-wait", input="{bad").exit_code == 2


def test_a_json_list_of_texts_holds_prompts(run: Run, server: StandIn) -> None:
    takes(server, a_batch(), job())
    run("batch", "-", "--no-wait", input='["one\\nprompt", "two"]')
    assert asked(server)["prompts"] == ["one\nprompt", "two"]


def test_what_a_batch_made_is_printed_when_it_has_ended(run: Run, server: StandIn) -> None:
    made = [job(assets=[ASSET | {"url": f"http://127.0.0.1/{n}"}]) for n in range(2)]
    takes(server, a_batch(), *made)
    result = run("batch", "-", input="a\nb\n")
    assert (result.exit_code, result.stdout) == (0, "http://127.0.0.1/0\nhttp://127.0.0.1/1\n")
    assert "2 items: 2 completed" in result.stderr


def test_a_batch_of_texts_prints_each_with_its_id(run: Run, server: StandIn) -> None:
    texts = [job(id=JOB_ID, kind="text", text="One.\nTwo.\n"), job(id=OTHER_ID, kind="text", text="Three.")]
    takes(server, a_batch(), *texts)
    assert run("batch", "-", input="a\nb\n").stdout == f"{JOB_ID}\nOne.\nTwo.\n\n{OTHER_ID}\nThree.\n\n"


def test_a_batch_that_completed_in_part_exits_with_1_and_says_how_many(run: Run, server: StandIn) -> None:
    takes(server, a_batch("partial", completed=1, failed=1), job())
    result = run("batch", "-", input="a\nb\n")
    assert result.exit_code == 1
    assert "completed in part" in result.stderr
    assert "1 completed, 1 failed" in result.stderr


def test_a_batch_as_json_is_the_servers_answer(run: Run, server: StandIn) -> None:
    ended = a_batch()
    takes(server, ended, job())
    assert json.loads(run("batch", "-", "--json", input="a\nb\n").stdout) == ended


@pytest.mark.parametrize("text", ["", " \n\n", "[]", "[1]", '["a", {"prompt": "b"}]', "[not json"])
def test_a_file_that_holds_no_batch_is_misuse(run: Run, server: StandIn, text: str) -> None:
    assert run("batch", "-", input=text).exit_code == 2
    assert server.asked == []


def test_a_file_that_is_not_there_is_misuse(run: Run) -> None:
    result = run("batch", "nowhere.txt")
    assert result.exit_code == 2
    assert "nowhere.txt" in result.stderr


def test_a_retried_job_that_was_waiting_is_named(run: Run, server: StandIn) -> None:
    server.replies[f"POST /api/jobs/{JOB_ID}/retry"] = 200, job("pending")
    result = run("jobs", "retry", JOB_ID)
    assert (result.exit_code, result.stdout) == (0, f"Job {JOB_ID} is tried again now.\n")


@pytest.mark.parametrize(
    ("words", "call", "body"),
    [
        (("retry", JOB_ID), "retry", None),
        (("replay", JOB_ID), "replay", {"mode": "rerun"}),
        (("replay", JOB_ID, "--mode", "resume"), "replay", {"mode": "resume"}),
    ],
)
def test_the_id_of_a_job_that_was_made_again_is_printed(
    run: Run, server: StandIn, words: tuple[str, ...], call: str, body: Any
) -> None:
    server.replies[f"POST /api/jobs/{JOB_ID}/{call}"] = 201, job("pending", id=OTHER_ID, replay_of=JOB_ID)
    result = run("jobs", *words)
    assert (result.exit_code, result.stdout) == (0, f"{OTHER_ID}\n")
    assert asked(server, f"POST /api/jobs/{JOB_ID}/{call}") == body
    assert all(headers["Idempotency-Key"] for _, headers, _ in server.asked)
    assert json.loads(run("jobs", *words, "--json").stdout)["replay_of"] == JOB_ID


def test_what_cannot_be_retried_says_why_and_exits_with_1(run: Run, server: StandIn) -> None:
    server.replies[f"POST /api/jobs/{JOB_ID}/retry"] = problem(409, "conflict")
    result = run("jobs", "retry", JOB_ID)
    assert result.exit_code == 1
    assert "Do this." in result.stderr


def test_the_items_of_a_batch_are_listed_in_order(run: Run, server: StandIn) -> None:
    found = [job(prompt="a fox"), job("failed", id=OTHER_ID, prompt="an owl")]
    server.replies[f"GET /api/jobs/{JOB_ID}/items"] = 200, {"jobs": found, "nextCursor": None}
    lines = run("jobs", "items", JOB_ID).stdout.splitlines()
    assert [line.split()[-1] for line in lines[1:]] == ["fox", "owl"]
    assert json.loads(run("jobs", "items", JOB_ID, "--json").stdout) == {"jobs": found}


def test_a_job_that_is_no_batch_is_said_to_have_no_items(run: Run, server: StandIn) -> None:
    server.replies[f"GET /api/jobs/{JOB_ID}/items"] = 200, {"jobs": [], "nextCursor": None}
    server.replies[f"GET /api/jobs/{JOB_ID}"] = 200, job("completed")
    assert "is no batch" in run("jobs", "items", JOB_ID).stderr


def test_a_batch_in_the_list_shows_how_its_items_stand(run: Run, server: StandIn) -> None:
    server.replies["GET /api/jobs"] = 200, {"jobs": [a_batch("partial", completed=1, failed=1)], "nextCursor": None}
    line = run("jobs", "list").stdout.splitlines()[1]
    assert "partial" in line
    assert "2 items: 1 completed, 1" in line


def test_a_batch_is_shown_with_its_items_and_lineage(run: Run, server: StandIn) -> None:
    shown = a_batch("partial", completed=1, failed=1) | {"replay_of": OTHER_ID}
    server.replies[f"GET /api/jobs/{JOB_ID}"] = 200, shown
    server.replies[f"GET /api/jobs/{JOB_ID}/events"] = [event("job.partial", 9, shown)]
    said = run("jobs", "show", JOB_ID).stdout
    assert "2 items: 1 completed, 1 failed" in said
    assert OTHER_ID in said
    assert "None" not in said
