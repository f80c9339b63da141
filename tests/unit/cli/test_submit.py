"""`safelight submit`: what is asked of the server, what is printed where, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.cli.stand_in import ASSET, JOB_ID, StandIn, event, job, problem

WORKER = {"status": "online", "slots": 4, "queues": ["image"]}


@pytest.fixture
def picture(server: StandIn) -> dict[str, object]:
    """A job that completes with one picture."""
    ended = job(assets=[ASSET | {"url": f"{server.url}/picture"}])
    server.replies["GET /api/health/workers"] = 200, [WORKER]
    server.replies["GET /picture"] = b"bytes"
    server.submits(ended, event("job.progress", 4, {"stage": "running", "progress": 0.5}))
    return ended


def test_the_address_alone_goes_to_standard_output(run: Run, server: StandIn, picture: object) -> None:
    result = run("submit", "a boat")
    assert result.stdout == f"{server.url}/picture\n"
    assert "running 50 %" in result.stderr
    assert "Completed in 0.42 s." in result.stderr
    assert result.exit_code == 0


def test_json_is_the_ended_job_and_nothing_else(run: Run, picture: object) -> None:
    result = run("submit", "a boat", "--json")
    assert json.loads(result.stdout) == picture


def test_options_become_the_request(run: Run, server: StandIn, picture: object) -> None:
    run(
        *("submit", "a boat", "--model", "procedural", "--size", "640x480", "--seed", "7", "-n", "2"),
        *("--format", "webp", "-p", "steps=20", "-p", "style=soft", "-p", "hd=true", "-l", "project=x=y"),
    )
    _, headers, body = server.asked[0]
    assert body == {
        "kind": "image",
        "prompt": "a boat",
        "model": "procedural",
        "params": {"width": 640, "height": 480, "seed": 7, "n": 2, "format": "webp"}
        | {"steps": 20, "style": "soft", "hd": True},
        "labels": {"project": "x=y"},
    }
    assert headers["Idempotency-Key"]


def test_the_command_line_has_no_defaults_of_its_own(run: Run, server: StandIn, picture: object) -> None:
    run("submit", "a boat")
    assert server.asked[0][2] == {"kind": "image", "prompt": "a boat", "params": {}, "labels": {}}


def test_a_prompt_can_come_from_standard_input(run: Run, server: StandIn, picture: object) -> None:
    run("submit", "-", input="a long\nprompt\n")
    assert server.asked[0][2]["prompt"] == "a long\nprompt"


def test_no_wait_prints_the_id_and_returns(run: Run, server: StandIn, picture: object) -> None:
    result = run("submit", "a boat", "--no-wait")
    assert (result.stdout, result.exit_code) == (f"{JOB_ID}\n", 0)
    assert [asked for asked, *_ in server.asked] == ["POST /api/jobs"]


def test_without_a_worker_it_says_so_and_does_not_hang(run: Run, server: StandIn, picture: object) -> None:
    server.replies["GET /api/health/workers"] = 200, [WORKER | {"queues": ["video"]}, WORKER | {"status": "offline"}]
    result = run("submit", "a boat")
    assert "No worker is running; the job waits. Start one: safelight worker" in result.stderr
    assert (result.stdout, result.exit_code) == (f"{JOB_ID}\n", 0)


def test_a_wait_that_was_asked_for_happens_even_without_a_worker(run: Run, server: StandIn, picture: object) -> None:
    server.replies["GET /api/health/workers"] = 200, []
    assert run("submit", "a boat", "--wait").stdout == f"{server.url}/picture\n"


def test_output_saves_the_picture(run: Run, picture: object, tmp_path: Path) -> None:
    result = run("submit", "a boat", "-o", str(tmp_path / "boat.png"))
    assert (tmp_path / "boat.png").read_bytes() == b"bytes"
    assert [path.name for path in tmp_path.iterdir()] == ["boat.png"]
    assert "Saved" in result.stderr


def test_a_folder_to_save_into_is_made(run: Run, picture: object, tmp_path: Path) -> None:
    assert run("submit", "a boat", "-o", f"{tmp_path}/new/").exit_code == 0
    assert len(list((tmp_path / "new").iterdir())) == 1


def test_a_download_that_fails_leaves_an_older_file_alone(
    run: Run, server: StandIn, picture: object, tmp_path: Path
) -> None:
    server.replies["GET /picture"] = problem(410, "gone")
    (tmp_path / "boat.png").write_bytes(b"older")
    result = run("submit", "a boat", "-o", str(tmp_path / "boat.png"))
    assert result.exit_code == 1
    assert "It is gone." in result.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"boat.png": b"older"}


def test_a_failed_job_says_why_and_exits_with_1(run: Run, server: StandIn) -> None:
    server.replies["GET /api/health/workers"] = 200, [WORKER]
    server.submits(job("failed", error={"code": "x", "message": "It broke.", "remedy": "Mend it."}))
    result = run("submit", "a boat")
    assert result.exit_code == 1
    assert "The job failed after 0.42 s. It broke.\nMend it.\n" in result.stderr


def test_a_refusal_shows_each_wrong_field_and_the_remedy(run: Run, server: StandIn) -> None:
    server.replies["POST /api/jobs"] = problem(422, "invalid_params", errors={"params.width": ["too large"]})
    result = run("submit", "a boat", "--width", "9")
    assert (result.stdout, result.exit_code) == ("", 2)
    assert result.stderr == "It is invalid_params.\n  params.width: too large\nDo this.\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--size", "big"], "is not a size"),
        (["--size", "1x1", "--width", "4"], "either --size or"),
        (["--param", "steps"], "is not NAME=VALUE"),
        (["--label", "=x"], "is not NAME=VALUE"),
        (["--no-wait", "--output", "x.png"], "nothing to save yet"),
        (["--output", "no/such/x.png"], "there is no folder 'no/such'"),
        (["--seed", "many"], "valid integer"),
        (["--unknown"], "No such option"),
    ],
)
def test_misuse_is_told_without_asking_the_server(run: Run, server: StandIn, words: list[str], said: str) -> None:
    result = run("submit", "a boat", *words)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert server.asked == []


def test_a_prompt_that_is_no_text_is_misuse(run: Run) -> None:
    assert run("submit", "caf\udce9").exit_code == 2


@pytest.fixture
def story(server: StandIn) -> dict[str, object]:
    """A text job that comes in pieces; the last one only with the job's body."""
    ended = job(kind="text", queue="text", text="Once upon a time.")
    server.replies["GET /api/health/workers"] = 200, [WORKER | {"queues": ["text"]}]
    pieces = [
        event("job.output", 4, {"offset": 0, "text": "Once"}),
        event("job.output", 5, {"offset": 4, "text": " upon"}),
    ]
    server.submits(ended, *pieces)
    server.replies["POST /api/jobs"] = 202, job("pending", kind="text", queue="text")
    return ended


def test_a_text_goes_to_standard_output_and_nothing_else_does(run: Run, server: StandIn, story: object) -> None:
    result = run("submit", "a story", "--kind", "text")
    assert result.stdout == "Once upon a time.\n"
    assert "Completed in 0.42 s." in result.stderr
    assert result.exit_code == 0


def test_a_text_can_be_saved_and_is_in_the_json(run: Run, story: dict[str, object], tmp_path: Path) -> None:
    run("submit", "a story", "--kind", "text", "-o", str(tmp_path / "story.txt"))
    assert (tmp_path / "story.txt").read_text() == "Once upon a time."
    assert json.loads(run("submit", "a story", "--kind", "text", "--json").stdout) == story


ASSET_ID = "01890000-0000-7000-8000-000000000000"


def test_files_are_uploaded_and_everything_else_is_named(
    run: Run, server: StandIn, picture: object, tmp_path: Path
) -> None:
    server.replies["POST /api/uploads"] = 201, {"id": "u-1"}
    (tmp_path / "a:b.png").write_bytes(b"bytes of it")
    inputs = (f"{tmp_path / 'a:b.png'}:mask", "https://example.org/a.png:first_frame", ASSET_ID, "http://x:80/a")
    run("submit", "a boat", *(word for each in inputs for word in ("--input", each)))
    (uploaded, _, form), (_, _, body) = server.asked[:2]
    assert uploaded == "POST /api/uploads"
    assert b"bytes of it" in form
    assert b"a:b.png" not in form
    assert body["inputs"] == [
        {"upload": "u-1", "role": "mask"},
        {"url": "https://example.org/a.png", "role": "first_frame"},
        {"asset": ASSET_ID},
        {"url": "http://x:80/a"},
    ]


def test_a_file_that_is_not_there_is_said_before_anything_is_asked(run: Run, server: StandIn) -> None:
    result = run("submit", "a boat", "--input", "nowhere.png")
    assert result.exit_code == 2
    assert "nowhere.png" in result.stderr
    assert server.asked == []


def test_what_cannot_be_an_input_is_said_with_what_can(run: Run, server: StandIn, tmp_path: Path) -> None:
    said = " ".join(run("submit", "a boat", "-i", "nonsense").stderr.replace("│", " ").split())
    assert "'nonsense' is neither a file here, nor an address (https://...), nor the id of an asset." in said
    (tmp_path / "a.png").write_bytes(b"x")
    result = run("submit", "a boat", "-i", f"{tmp_path / 'a.png'}:foo")
    said = " ".join(result.stderr.replace("│", " ").split())
    assert "'foo' is no role; roles: image, mask, first_frame, last_frame." in said
    assert (result.exit_code, server.asked) == (2, [])


def test_a_refusal_for_want_of_a_picture_says_how_to_give_one(run: Run, server: StandIn) -> None:
    errors = {"inputs": ["this model needs one of role 'image'"]}
    server.replies["POST /api/jobs"] = problem(422, "invalid_params", errors=errors)
    assert "--input FILE|URL|ASSET[:ROLE]" in run("submit", "--kind", "upscale").stderr


def test_an_upscale_needs_no_words(run: Run, server: StandIn, picture: object) -> None:
    run("submit", "--kind", "upscale", "--input", ASSET_ID)
    assert server.asked[0][2] == {"kind": "upscale", "params": {}, "labels": {}, "inputs": [{"asset": ASSET_ID}]}
