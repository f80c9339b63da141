"""Two servers and a worker, each a process of its own: whoever watches by whatever way is told the same."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.crash.restarts.play import play

EXPECTED = {"stream": 4, "topic": 4, "user": 12, "polling": 4}


def test_streams_sockets_and_polls_agree_across_processes_also_when_one_restarts(
    database_url: str, tmp_path: Path
) -> None:
    where = {} if database_url.startswith("sqlite") else {"database_url": database_url}
    played = asyncio.run(play("", tmp_path, 4, 1, 7, **where))
    assert played.complaints == []
    assert {way: line.stories for way, line in played.lines.items()} == EXPECTED
