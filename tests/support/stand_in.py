"""The stand-in provider in a process of its own, ended by its process id."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from safelight.testing.stand_in_journal import Billed, read_journal


@dataclass(frozen=True, slots=True)
class StandInProcess:
    """A running provider: where it listens, and what it has billed."""

    url: str
    pid: int
    journal: Path

    def billed(self) -> list[Billed]:
        """Every POST it accepted so far."""
        return read_journal(self.journal)


@contextmanager
def stand_in_provider(folder: Path, name: str = "provider") -> Iterator[StandInProcess]:
    """A provider while the block lasts; its journal stays in `folder`. `name` as in `testing.stand_in_NAME`."""
    journal = folder / "journal.jsonl"
    command = [sys.executable, "-m", f"safelight.testing.stand_in_{name}", "--journal", str(journal)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        assert said, "the stand-in provider ended at once"
        yield StandInProcess(json.loads(said)["url"], process.pid, journal)
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(10)
        process.stdout.close()
