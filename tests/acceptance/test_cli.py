"""The command line against real processes: a server, a worker of its own, and neither of them."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import statistics
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue

import pytest

from safelight.cli import when
from safelight.client import Client
from safelight.settings import Settings, load_settings
from safelight.store import migrate
from safelight.testing.databases import fresh_database
from safelight.worker.servers import find_servers
from tests.support.launch import Launched, environ_with, run

LIMIT_S = 60.0
SMALL = ("--size", "256x256")
HUGE = ("--size", "2048x2048", "-n", "10")


class Process:
    """A `safelight` process whose standard error is read line by line, so that tests wait for what it says."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._lines: Queue[str | None] = Queue()
        self.said: list[str] = []
        self.popen = Launched(words, cwd=folder, env=environ_with({}))
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first line from here on that matches. Fails when the process ends or stays silent."""
        while (line := self._lines.get(timeout=LIMIT_S)) is not None:
            self.said.append(line)
            if match := re.search(pattern, line):
                return match
        pytest.fail(f"{pattern!r} was never said:\n{''.join(self.said)}")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal it, unless it has ended by itself; the exit code."""
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        code = self.popen.wait(LIMIT_S)
        self._reader.join()
        for stream in (self.popen.stdout, self.popen.stderr):
            assert stream is not None
            stream.close()
        return code

    def _read(self) -> None:
        assert self.popen.stderr is not None
        for line in self.popen.stderr:
            self._lines.put(line)
        self._lines.put(None)


Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start processes in the test's folder; they end with the test."""
    started: list[Process] = []

    def start(*words: str) -> Process:
        started.append(Process(tmp_path, *words))
        return started[-1]

    yield start
    for process in reversed(started):
        process.end()


@pytest.fixture
def url(start: Start) -> str:
    """A server without a worker, on a free port."""
    return start("serve", "--no-worker", "--port", "0").wait_for(r"is at (http://[\d.:]+)")[1]


@pytest.fixture
def worker(start: Start, url: str) -> Process:
    """A worker in a process of its own, over the same SQLite file."""
    process = start("worker", "--concurrency", "1")
    process.wait_for("worker.started")
    return process


def test_a_job_is_priced_without_being_made_and_deleted_with_its_files(worker: Process, tmp_path: Path) -> None:
    rehearsed = safelight(tmp_path, "submit", "a lighthouse", *SMALL, "--dry-run")
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert "procedural would cost 1 credit." in rehearsed.stdout
    assert "It would be done in about" in rehearsed.stdout
    quote = json.loads(safelight(tmp_path, "submit", "a lighthouse", *SMALL, "--dry-run", "--json").stdout)
    assert (quote["price_credits"], quote["affordable"]) == (1, True)
    assert json.loads(safelight(tmp_path, "jobs", "list", "--json").stdout)["jobs"] == []

    job = json.loads(safelight(tmp_path, "submit", "a lighthouse", *SMALL, "--json").stdout)
    unsure = safelight(tmp_path, "jobs", "delete", job["id"])
    assert unsure.returncode != 0
    deleted = safelight(tmp_path, "jobs", "delete", job["id"][-8:], "--yes")
    assert (deleted.returncode, deleted.stdout.strip()) == (0, f"Job {job['id']} is deleted."), deleted.stderr
    assert json.loads(safelight(tmp_path, "jobs", "list", "--json").stdout)["jobs"] == []
    assert not list(tmp_path.rglob("*.png"))


def test_a_prompt_becomes_a_picture_in_a_file(worker: Process, tmp_path: Path) -> None:
    words = ("submit", "a lighthouse", *SMALL, "--seed", "3", "--label", "trip=coast")
    submitted = safelight(tmp_path, *words, "-o", "picture.png", "--json")
    assert submitted.returncode == 0, submitted.stderr
    job = json.loads(submitted.stdout)
    assert (job["status"], job["params"]["seed"]) == ("completed", 3)
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")

    listed = json.loads(safelight(tmp_path, "jobs", "list", "--json").stdout)
    assert [found["id"] for found in listed["jobs"]] == [job["id"]]

    for label, ids in {"trip=coast": [job["id"]], "trip=hills": []}.items():
        labelled = json.loads(safelight(tmp_path, "jobs", "list", "--label", label, "--json").stdout)
        assert [found["id"] for found in labelled["jobs"]] == ids

    shown = safelight(tmp_path, "jobs", "show", job["id"][-8:])
    assert shown.returncode == 0, shown.stderr
    for text in (job["id"], "a lighthouse", "submitted", "started", "completed", job["assets"][0]["url"]):
        assert text in shown.stdout


def test_a_running_job_is_canceled_and_its_watcher_hears_of_it(worker: Process, tmp_path: Path) -> None:
    job_id = safelight(tmp_path, "submit", "a city at night", *HUGE, "--no-wait").stdout.strip()
    worker.wait_for("job.started")
    assert "is being stopped" in safelight(tmp_path, "jobs", "cancel", job_id).stdout
    watched = safelight(tmp_path, "jobs", "watch", job_id)
    assert "was canceled" in watched.stderr
    assert (watched.stdout, watched.returncode) == ("", 1)


def test_a_worker_in_another_process_starts_a_job_within_100_ms(worker: Process, url: str) -> None:
    async def waits_s() -> list[float]:
        async with Client.connect(url) as client:
            found = []
            for number in range(9):
                job = await client.submit("image", "a boat", params={"width": 256, "height": 256, "seed": number})
                ended = await client.wait(job["id"], timeout_s=LIMIT_S)
                found.append(when.between_s(ended["created_at"], ended["started_at"]))
            return found

    assert statistics.median(asyncio.run(waits_s())) < 0.1


def test_without_a_server_the_job_goes_straight_to_the_database_and_a_worker_takes_it(
    start: Start, tmp_path: Path
) -> None:
    lost = safelight(tmp_path, "submit", "a fox in the snow", *SMALL)
    assert (lost.returncode, "There is no database" in lost.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []
    safelight(tmp_path, "db", "upgrade")
    submitted = safelight(tmp_path, "submit", "a fox in the snow", *SMALL)
    assert "No worker is running; the job waits. Start one: safelight worker" in submitted.stderr
    assert submitted.returncode == 0
    job_id = submitted.stdout.strip()
    assert json.loads(safelight(tmp_path, "jobs", "show", job_id, "--json").stdout)["status"] == "pending"

    start("worker").wait_for("worker.started")
    assert safelight(tmp_path, "jobs", "watch", job_id).returncode == 0
    saved = safelight(tmp_path, "submit", "a fox", *SMALL, "-o", "fox.png")
    assert "No server is running" in saved.stderr
    assert (tmp_path / "fox.png").read_bytes().startswith(b"\x89PNG")


def test_ctrl_c_ends_the_watching_and_not_the_job(start: Start, url: str, tmp_path: Path) -> None:
    process = start("submit", "a boat", *SMALL, "--wait")
    job_id = process.wait_for(r"Job (\S+) ")[1]
    process.wait_for("No worker is running")
    process.wait_for("queued")
    assert process.end(signal.SIGINT) == 130
    process.wait_for("The job goes on")
    assert json.loads(safelight(tmp_path, "jobs", "show", job_id, "--json").stdout)["status"] == "pending"


def test_a_first_start_makes_one_sample_and_prints_its_address(start: Start, tmp_path: Path) -> None:
    process = start("serve", "--port", "0", "--with-sample")
    process.wait_for("Completed in")
    assert process.popen.stdout is not None
    assert "/api/assets/" in process.popen.stdout.readline()
    assert len(json.loads(safelight(tmp_path, "jobs", "list", "--json").stdout)["jobs"]) == 1


def test_a_server_is_found_while_it_lives_and_not_after_it_was_killed(start: Start, tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    assert find_servers(settings.database_address, settings.lease_seconds) == []
    server = start("serve", "--no-worker", "--port", "0")
    url = server.wait_for(r"is at (http://[\d.:]+)")[1]
    start("worker").wait_for("worker.started")
    assert find_servers(settings.database_address, settings.lease_seconds) == [url]
    server.end(signal.SIGKILL)
    assert find_servers(settings.database_address, settings.lease_seconds) == []


def test_the_schema_is_upgraded_and_told(tmp_path: Path) -> None:
    behind = safelight(tmp_path, "db", "current", "--json")
    assert (json.loads(behind.stdout)["up_to_date"], behind.returncode) == (False, 1)
    assert safelight(tmp_path, "db", "upgrade").stdout.startswith("Upgraded from nothing to ")
    assert safelight(tmp_path, "db", "upgrade").stdout.startswith("Already at ")
    assert safelight(tmp_path, "db", "current").returncode == 0


def test_a_shared_database_is_upgraded_by_no_command_that_only_needs_it(
    tmp_path: Path, postgres_server_url: str
) -> None:
    with fresh_database(postgres_server_url) as url:
        (tmp_path / "safelight.toml").write_text(f'database_url = "{url}"\n')
        for words in (["jobs", "list"], ["models"], ["submit", "a boat", "--no-wait"]):
            refused = safelight(tmp_path, *words)
            assert refused.returncode == 1
            assert "safelight db upgrade" in refused.stderr
            assert migrate.current(url) is None
        assert safelight(tmp_path, "db", "upgrade").returncode == 0
        listed = safelight(tmp_path, "jobs", "list")  # on a busy machine it may also say that something was slow
        assert listed.stderr.splitlines()[-1] == "No jobs."


def test_settings_tell_where_a_value_came_from_and_keep_secrets(tmp_path: Path) -> None:
    (tmp_path / "safelight.toml").write_text('secret = "a very secret secret"\nport = 8123\n')
    result = safelight(tmp_path, "settings", "--json")
    rows = {row["name"]: row for row in json.loads(result.stdout)}
    assert (rows["SAFELIGHT_PORT"]["value"], rows["SAFELIGHT_PORT"]["source"]) == ("8123", "safelight.toml")
    assert "very secret" not in result.stdout
    assert max(map(len, safelight(tmp_path, "settings").stdout.splitlines())) <= 80


def safelight(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return run(words, cwd=folder, env=environ_with({}), timeout_s=LIMIT_S)


def _settings(folder: Path) -> Settings:
    return load_settings({}, cwd=folder)
