"""Real Safelight processes on a data folder of their own: started, watched through their logs, killed, frozen."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg.rows import dict_row

from tests.support.launch import Launched, environ_with
from tests.support.sse import watching

PATIENCE_S = 40.0
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Everything is on this machine: reading the system's certificates would take longer than the request."""
SMALL = {"width": 256, "height": 256}


class Running:
    """One process. Its log lines are events to wait for."""

    def __init__(self, process: Launched | subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = self._process.pid
        self.lines: list[dict[str, Any]] = []
        self.noise: list[str] = []
        self._news = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, name=f"log of {self.pid}")
        self._reader.start()

    def until(self, event: str, count: int = 1) -> dict[str, Any]:
        """The log line that says `event`, for the `count`-th time."""
        self.says(event, count=count)
        found = self.said(event)
        assert len(found) >= count, f"never said {event!r} {count} times:\n{self.tail()}"
        return found[count - 1]

    def says(self, *events: str, count: int = 1, within_s: float = PATIENCE_S) -> bool:
        """Wait until it has said any of the events `count` times; False if it ended, or the time did, before."""
        with self._news:
            self._news.wait_for(lambda: self._ended or len(self.said(*events)) >= count, within_s)
            return len(self.said(*events)) >= count

    def said(self, *events: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line.get("event") in events]

    def tail(self) -> str:
        return "\n".join([*map(json.dumps, self.lines[-30:]), *self.noise[-30:]])

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """The exit code."""
        return self._process.wait(PATIENCE_S)

    def until_stopped(self) -> None:
        """It stops itself at a crash point, just after it has said so: a stop from outside must not come in between."""
        give_up_at = time.monotonic() + PATIENCE_S
        with self._news:
            while not self._stopped():
                assert time.monotonic() < give_up_at, "it went on"
                self._news.wait(0.01)

    def freeze(self) -> None:
        """Stop it where it is, but not in the middle of a transaction: SQLite has one writer, all would wait for it."""
        give_up_at = time.monotonic() + PATIENCE_S
        self.send(signal.SIGSTOP)
        while not self._stopped() or self._holds_a_lock():
            assert time.monotonic() < give_up_at, "it writes all the time"
            if self._stopped():
                self.send(signal.SIGCONT)
                self.send(signal.SIGSTOP)

    def kill(self) -> None:
        """As a power cut would: no chance to say goodbye."""
        self.send(signal.SIGKILL)
        self.wait()

    def drain(self) -> int:
        """Ask it to end, and wait until it has; the exit code."""
        self.send(signal.SIGTERM)
        return self.wait()

    def renderer(self) -> int:
        """The pid of the process that draws for this one."""
        found = [child for child in self._children() if b"procedural.renderer" in _command_line(child)]
        assert len(found) == 1, f"{len(found)} renderers"
        return found[0]

    def close(self) -> None:
        """End it and its children however they are, even frozen ones."""
        children = self._children()
        for pid in [*children, self.pid]:
            with suppress(ProcessLookupError):
                if pid != self.pid or self.running:
                    os.kill(pid, signal.SIGCONT)
        if self.running:
            self.kill()
        self._reader.join(PATIENCE_S)

    def _stopped(self) -> bool:
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2][0] == "T"

    def _holds_a_lock(self) -> bool:
        """`/proc/locks` has lines like `1: FLOCK ADVISORY WRITE <pid> ...`; those that only wait have an arrow."""
        locks = (line.split() for line in Path("/proc/locks").read_text().splitlines())
        return any(lock[1] == "FLOCK" and lock[4] == str(self.pid) for lock in locks)

    def _children(self) -> list[int]:
        found = []
        for path in Path(f"/proc/{self.pid}/task").glob("*/children"):
            with suppress(OSError):
                found += [int(pid) for pid in path.read_text().split()]
        return found

    def _read(self) -> None:
        assert self._process.stderr is not None
        with closing(self._process.stderr) as stream:
            for text in stream:
                with self._news:
                    self._keep(text)
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def _keep(self, text: str) -> None:
        try:
            self.lines.append(json.loads(text))
        except ValueError:
            self.noise.append(text.rstrip())


class Installation:
    """A data folder, and the processes that work on it. `environ` is theirs beside the settings.

    Where `forked` is false each of them is an interpreter of its own, which also reads the environment of one.
    """

    def __init__(
        self, folder: Path, environ: Mapping[str, str] | None = None, *, forked: bool = True, **settings: object
    ) -> None:
        self._folder, self._environ, self._settings = folder, environ or {}, settings
        self._forked = forked
        self.started: list[Running] = []
        self.url = ""
        self.database = folder / "data" / "safelight.db"

    @property
    def database_url(self) -> str:
        """The database its processes work on."""
        return str(self._settings.get("database_url") or f"sqlite:///{self.database}")

    def give(self, environ: Mapping[str, str]) -> None:
        """More of the environment for the processes that are started from now on."""
        self._environ = {**self._environ, **environ}

    def serve(self, *args: str, **settings: object) -> Running:
        """`safelight serve` on a free port; ready when this returns, and from now on the one to talk to."""
        server = self.begin_server(*args, **settings)
        self.url = server.until("server.ready")["url"]
        return server

    def start(self, *args: str, **settings: object) -> Running:
        """`safelight` with these words, however it ends."""
        return self._start(*args, **settings)

    def begin_server(self, *args: str, **settings: object) -> Running:
        """As `serve`, which may never become ready."""
        return self._start("serve", "--port", "0", *args, **settings)

    def worker(self, *args: str, program: str | None = None, **settings: object) -> Running:
        """`safelight worker`; it claims when this returns. `program` is a file that runs instead of `safelight`."""
        worker = self.begin_worker(*args, program=program, **settings)
        worker.until("worker.started")
        return worker

    def begin_worker(
        self, *args: str, program: str | None = None, before: Sequence[str] = (), **settings: object
    ) -> Running:
        """As `worker`, which may never come to claim anything. `before` are words in front of its command line."""
        return self._start("worker", *args, program=program, before=before, **settings)

    def close(self) -> None:
        for process in self.started:
            process.close()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        with httpx.Client(base_url=self.url, timeout=PATIENCE_S, trust_env=False, verify=NO_TLS) as client:
            return client.request(method, path, **options)

    def submit(self, prompt: str = "a lighthouse", **params: object) -> str:
        """The id of a new job of 256 by 256 pixels."""
        body = {"kind": "image", "prompt": prompt, "params": {**SMALL, **params}}
        answer = self.request("POST", "/api/jobs", json=body)
        assert answer.status_code == 202, answer.text
        job_id: str = answer.json()["id"]
        return job_id

    def submit_many(self, count: int, **params: object) -> list[str]:
        """The ids of `count` jobs with different prompts, submitted side by side."""
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda i: self.submit(f"a lighthouse, number {i}", **params), range(count)))

    def job(self, job_id: str) -> dict[str, Any]:
        body: dict[str, Any] = self.request("GET", f"/api/jobs/{job_id}").json()
        return body

    def until_ended(self, job_ids: Sequence[str]) -> list[dict[str, Any]]:
        """The bodies of the jobs once each has ended."""
        give_up_at = time.monotonic() + PATIENCE_S
        for job_id in job_ids:
            with watching(self.url, job_id) as watch:
                watch.rest()
            assert time.monotonic() < give_up_at, "the jobs did not end in time"
        return [self.job(job_id) for job_id in job_ids]

    def until_progress(self, job_id: str) -> None:
        """Return as soon as the job is seen to be drawn."""
        with watching(self.url, job_id, after=0) as watch:
            watch.until("job.progress")

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What the database says, read beside the processes or after them."""
        if "database_url" in self._settings:
            with psycopg.connect(self.database_url, row_factory=dict_row) as server:
                return server.execute(query.encode()).fetchall()
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query)]

    def gallery(self) -> list[dict[str, Any]]:
        """Every job of the list, all pages of it."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while cursor is not None:
            page = self.request("GET", "/api/jobs", params={"limit": 200, "cursor": cursor}).json()
            found += page["jobs"]
            cursor = page["nextCursor"]
        return found

    def environment(self, **settings: object) -> dict[str, str]:
        """What a process of it is started with; these settings go over the installation's own."""
        given = {"data_dir": self._folder / "data", "log_format": "json", **self._settings, **settings}
        return environ_with(given, self._environ)

    def set(self, **settings: object) -> None:
        """Settings for the processes that are started from now on."""
        self._settings = {**self._settings, **settings}

    def _start(self, *args: str, program: str | None = None, before: Sequence[str] = (), **settings: object) -> Running:
        environ = self.environment(**settings)
        forked = self._forked and program is None and not before
        process = _forked(args, self._folder, environ) if forked else _run(args, program, before, self._folder, environ)
        self.started.append(Running(process))
        return self.started[-1]


@contextmanager
def installation(
    folder: Path, environ: Mapping[str, str] | None = None, *, forked: bool = True, **settings: object
) -> Iterator[Installation]:
    """An installation whose processes are all gone when the block ends."""
    folder.mkdir(exist_ok=True)
    made = Installation(folder, environ, forked=forked, **settings)
    try:
        yield made
    finally:
        made.close()


def _forked(words: Sequence[str], folder: Path, environ: dict[str, str]) -> Launched:
    with open(os.devnull, "w") as nowhere:
        return Launched(words, cwd=folder, env=environ, stdout=nowhere)


def _run(
    words: Sequence[str], program: str | None, before: Sequence[str], folder: Path, environ: dict[str, str]
) -> subprocess.Popen[str]:
    run = ["-m", "safelight"] if program is None else [program]
    command = [*before, sys.executable, *run, *words]
    return subprocess.Popen(
        command, cwd=folder, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
