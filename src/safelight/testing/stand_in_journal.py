"""The bill of the stand-in provider: one line on disk for every POST it accepted, written before anybody hears of it.

It is what a test believes: not what Safelight recorded, and not what the provider's answers said.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Billed:
    """One accepted POST. `call_id` is what the caller named it, `remote_id` what the provider did."""

    call_id: str
    remote_id: str
    prompt: str
    price_usd: float
    at: float


class Journal:
    """Append-only; each line is on disk before `bill` returns."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def bill(self, call_id: str, remote_id: str, prompt: str, price_usd: float) -> None:
        line = json.dumps(asdict(Billed(call_id, remote_id, prompt, price_usd, time.time())))
        os.write(self._file, f"{line}\n".encode())
        os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)


def read_journal(path: Path) -> list[Billed]:
    """Everything billed so far, oldest first."""
    return [Billed(**json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []
