"""A running system of its own for each fault: real processes, a stand-in of a paid provider, either database."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg

from safelight.store.connect import open_database
from safelight.testing.databases import fresh_database
from safelight.testing.serving import served
from safelight.testing.stand_in_replicate import StandInReplicate
from tests.support.launch import run
from tests.support.server import SMALL, Installation, Running, installation

LEASE_S, SWEEP_S = 3.0, 0.5
LOOK_S, PATIENCE_S, COMMAND_S = 0.2, 40.0, 60.0
KEY = "r8_test_not_a_key_of_anybody"
BUILT_IN = "procedural"
PAID_MODEL = "black-forest-labs/flux-1.1-pro"
GOES_ON = frozenset({"serve", "worker"})
"""Commands that run until they are stopped."""

T = TypeVar("T")


class CannotBePlayed(Exception):
    """This machine does not let the laboratory do it; says why."""


class System:
    """`made` are its processes. What `stack` holds is undone when the system is taken down."""

    def __init__(self, folder: Path, made: Installation, stack: ExitStack, kind: str) -> None:
        self.folder, self.made, self.stack, self.kind = folder, made, stack, kind

    def serve(self, *words: str, **settings: object) -> Running:
        """The API alone, ready."""
        return self.made.serve("--no-worker", *words, **settings)

    def worker(self, *words: str, program: str | None = None, **settings: object) -> Running:
        return self.made.worker(*words, program=program, **settings)

    def working(self, **settings: object) -> tuple[Running, Running]:
        """A server and a worker, apart."""
        return self.serve(**settings), self.worker(**settings)

    def paid(self) -> StandInReplicate:
        """A stand-in of Replicate that knows one key; processes started from now on have it set up."""
        provider = self.stack.enter_context(served(StandInReplicate(key=KEY)))
        self.made.give({"REPLICATE_API_TOKEN": KEY, "SAFELIGHT_REPLICATE_BASE_URL": provider.url})
        return provider

    def submit(self, prompt: str = "a lighthouse", **body: Any) -> str:
        """The id of a new job; without a model a built-in picture."""
        given = {"kind": "image", "prompt": prompt, **body}
        if "model" not in given and given["kind"] == "image":
            given |= {"model": BUILT_IN, "params": {**SMALL, **given.get("params", {})}}
        answer = self.made.request("POST", "/api/jobs", json=given)
        assert answer.status_code in (200, 202), answer.text
        return str(answer.json()["id"])

    def submit_paid(self, prompt: str = "a lighthouse", **body: Any) -> str:
        return self.submit(prompt, model=PAID_MODEL, **body)

    def status(self, job_id: str) -> str:
        return str(self.rows(f"SELECT status FROM jobs WHERE id = '{job_id}'")[0]["status"])  # noqa: S608 - our id

    def until_status(self, job_id: str, *wanted: str, within_s: float = PATIENCE_S) -> str:
        """Its status, once it is one of these."""
        self.until(lambda: self.status(job_id) in wanted, f"{job_id} {' or '.join(wanted)}", within_s)
        return self.status(job_id)

    def until(self, holds: Callable[[], T], what: str, within_s: float = PATIENCE_S) -> T:
        """Look again and again until it holds. Raises AssertionError."""
        give_up_at = time.monotonic() + within_s
        while not (found := holds()):
            assert time.monotonic() < give_up_at, f"not within {within_s:g} s: {what}"
            time.sleep(LOOK_S)
        return found

    def rows(self, query: str) -> list[dict[str, Any]]:
        return self.made.rows(query)

    def change(self, *statements: str) -> None:
        """Write past Safelight, as an operator in a hurry would; on SQLite under the turnstile."""
        if self.kind == "postgres":
            with psycopg.connect(self.made.database_url) as connection:
                for statement in statements:
                    connection.execute(statement.encode())
            return
        database = open_database(self.made.database_url)
        try:
            with database.transaction() as tx:
                for statement in statements:
                    tx.execute(statement)
        finally:
            database.close()

    def doctor(self, *words: str) -> dict[str, Any]:
        """What `safelight doctor` reports."""
        return self._json("doctor", "--json", *words)

    def explain(self, job_id: str) -> dict[str, Any]:
        """What `safelight explain` says of a job."""
        return self._json("explain", job_id, "--json")

    def follow(self, command: str) -> None:
        """Run a command as it was printed. Raises AssertionError if it is no command, or is refused."""
        words = shlex.split(command)
        if words[0] != "safelight":
            done = subprocess.run(words, capture_output=True, text=True, timeout=COMMAND_S, check=False)
            assert done.returncode in (0, 1), f"{command}: {done.stderr}"
        elif words[1] in GOES_ON:
            started = self.made.start(*words[1:])
            ready = "server.ready" if words[1] == "serve" else "worker.started"
            assert started.says(ready), f"{command} did not come up:\n{started.tail()}"
        else:
            code, said = self.command(*words[1:])
            assert code in (0, 1), f"{command} ended with {code}:\n{said}"

    def command(self, *words: str) -> tuple[int, str]:
        """The exit code of a command of `safelight`, and what it printed."""
        done = run(words, cwd=self.folder, env=self._environment(), timeout_s=COMMAND_S)
        return done.returncode, done.stdout + done.stderr

    def _json(self, *words: str) -> dict[str, Any]:
        done = run(words, cwd=self.folder, env=self._environment(), timeout_s=COMMAND_S)
        assert done.stdout.strip().startswith("{"), f"{' '.join(words)} ended with {done.returncode}: {done.stderr}"
        body: dict[str, Any] = json.loads(done.stdout)
        return body

    def _environment(self) -> dict[str, str]:
        return self.made.environment()


@contextmanager
def system(folder: Path, postgres_url: str | None = None, **settings: object) -> Iterator[System]:
    """Nothing runs yet. Everything has ended when the block does."""
    with ExitStack() as stack:
        where: Mapping[str, object] = {}
        if postgres_url is not None:
            where = {"database_url": stack.enter_context(fresh_database(postgres_url))}
        times = {"lease_seconds": LEASE_S, "sweep_seconds": SWEEP_S}
        made = stack.enter_context(installation(folder, **{**times, **where, **settings}))
        yield System(folder, made, stack, "postgres" if postgres_url else "sqlite")
