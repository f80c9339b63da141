"""Processes of `safelight` for tests: real ones, forked from one that has loaded the program already.

Loading takes a second of processor time, running most commands a tenth of it, and the tests start hundreds. Each is a
process with an id, signals, an exit code, files, environment and folder of its own, as if a shell had started it. Tests
of how the program loads start it from the installed package or with `python -m safelight`: `test_wheel.py`, `unit/cli`.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from multiprocessing import reduction
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import IO, Any

from safelight.cli.main import main
from safelight.telemetry import crash_points

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(["tests.support.warmed"])


class Launched:
    """A process of `safelight` with these words; like a `subprocess.Popen`, with pipes where no file is given."""

    def __init__(
        self,
        words: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        stdout: IO[Any] | None = None,
        stderr: IO[Any] | None = None,
    ) -> None:
        self.words = list(words)
        self.stdout, ours = (None, stdout.fileno()) if stdout else _pipe()
        self.stderr, theirs = (None, stderr.fileno()) if stderr else _pipe()
        self._process = _FORKING.Process(
            target=_become, args=(self.words, str(cwd), dict(env), _Descriptor(ours), _Descriptor(theirs)), daemon=True
        )
        self._process.start()
        for given, descriptor in ((stdout, ours), (stderr, theirs)):
            if given is None:
                os.close(descriptor)
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once there is one. Raises `subprocess.TimeoutExpired` after `timeout` seconds."""
        wait_for([self._process.sentinel], timeout)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(self.words, timeout or 0)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def environ_with(settings: Mapping[str, object], also: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment without Safelight's settings; `also` goes over it, and these settings over both."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SAFELIGHT_")}
    return {**kept, **(also or {}), **{f"SAFELIGHT_{name.upper()}": str(value) for name, value in settings.items()}}


def run(
    words: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """`safelight` with these words, to its end; what it printed."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = Launched(words, cwd=cwd, env=env, stdout=out, stderr=err)
        try:
            code = process.wait(timeout_s)
        finally:
            process.kill()
        for stream in (out, err):
            stream.seek(0)
        return subprocess.CompletedProcess(list(words), code, out.read(), err.read())


class _Descriptor:
    """An open file that goes along to the other process; there it is the number it has there."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (reduction.DupFd(self._number),)


def _received(handle: Any) -> int:
    return int(handle.detach())


def _pipe() -> tuple[IO[str], int]:
    reading, writing = os.pipe()
    return os.fdopen(reading, encoding="utf-8", errors="replace"), writing


def _become(words: list[str], folder: str, environ: dict[str, str], stdout: int, stderr: int) -> None:
    """Runs in the new process: everything is as if a shell had started it, then the program takes over."""
    assert "safelight.api.application" in sys.modules, "tests/support/warmed.py could not be loaded"
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.path[1:1] = [place for place in environ.get("PYTHONPATH", "").split(os.pathsep) if place not in sys.path]
    time.tzset()
    for received, number in ((stdout, 1), (stderr, 2)):
        os.dup2(received, number)
        os.close(received)
    # What was opened for the old files thinks that it can seek in the new ones.
    sys.stdout = sys.__stdout__ = os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.__stderr__ = os.fdopen(2, "w", closefd=False, buffering=1)
    crash_points.PLANS = crash_points.read_plans(os.environ)  # read when the module was loaded: before this environment
    sys.argv = ["safelight", *words]
    main()
