"""Installations of real processes on SQLite, with a lease and a sweep short enough to wait for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Installation, installation

LEASE_S = 2.0


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path / "made", lease_seconds=LEASE_S, sweep_seconds=0.5) as found:
        yield found
