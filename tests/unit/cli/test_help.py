"""`--help` answers at once: it loads nothing that only commands need."""

from __future__ import annotations

import resource
import subprocess
import sys

HEAVY = ("fastapi", "sqlalchemy", "pydantic", "httpx", "obstore", "rich", "asyncio", "uvicorn", "numpy", "structlog")
SHORT_S = 0.3


def ask_for_help(*options: str) -> str:
    command = [sys.executable, *options, "-m", "safelight", "--help"]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stderr


def test_help_loads_nothing_heavy() -> None:
    loaded = {line.rpartition("|")[2].strip() for line in ask_for_help("-X", "importtime").splitlines()}
    assert "typer" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_help_takes_less_than_three_tenths_of_a_second() -> None:
    """Of processor time, so that a busy machine does not count."""

    def took_s() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ask_for_help()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(took_s() for _ in range(5)) < SHORT_S
