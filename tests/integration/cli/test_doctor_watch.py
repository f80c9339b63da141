"""`safelight doctor --watch`: looks on until it is stopped, and tells what is new and what is over."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from safelight.store.database import Database
from tests.integration.services.scene import hire, set_scene, submitted
from tests.support.launch import Launched, environ_with

Start = Callable[..., Launched]


@pytest.fixture
def start(database_url: str, tmp_path: Path) -> Iterator[Start]:
    env = environ_with({"database_url": database_url, "data_dir": tmp_path / "data"})
    (tmp_path / "data" / "assets").mkdir(parents=True)
    started: list[Launched] = []

    def begin(*words: str) -> Launched:
        started.append(Launched(["doctor", "--watch", "--every", "1", *words], cwd=tmp_path, env=env))
        return started[-1]

    yield begin
    for each in started:
        each.kill()
        for pipe in (each.stdout, each.stderr):
            assert pipe is not None
            pipe.close()


def lines(watch: Launched, count: int) -> list[str]:
    assert watch.stdout is not None
    return [watch.stdout.readline() for _ in range(count)]


def test_each_change_is_a_line_and_ctrl_c_ends_it_with_the_state_of_the_last_look(
    start: Start, database: Database
) -> None:
    with database.transaction() as tx:
        set_scene(tx, workers=())
        submitted(tx, "a")
    watch = start("--json")
    found = [json.loads(line) for line in lines(watch, 2)]
    assert {each["finding"]["code"] for each in found} == {"NO_WORKER_FOR_QUEUE", "SWEEPER_DEAD"}
    assert {each["change"] for each in found} == {"found"}
    with database.transaction() as tx:
        hire(tx, "w1")
    over = [json.loads(line) for line in lines(watch, 2)]
    assert {(each["change"], each["code"]) for each in over} == {
        ("over", "NO_WORKER_FOR_QUEUE"),
        ("over", "SWEEPER_DEAD"),
    }
    watch.send_signal(signal.SIGINT)
    assert watch.wait(20) == 0


def test_where_nobody_looks_on_a_terminal_the_lines_are_words(start: Start, database: Database) -> None:
    with database.transaction() as tx:
        set_scene(tx, workers=())
        submitted(tx, "a")
    watch = start()
    (first,) = lines(watch, 1)
    assert " error NO_WORKER_FOR_QUEUE image: 1 job waits in queue 'image'" in first
    watch.send_signal(signal.SIGINT)
    assert watch.wait(20) == 1
