"""Every line has the event, the time, the ids of what it is about, and no secret; none crashes the process."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import warnings
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog import get_logger

from safelight.telemetry.logs import bind_job, bound, configure_logging
from tests.support.logs import plain_logs


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    plain_logs()


class Log:
    """What was written, line by line."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.handler: logging.Handler | None = None
        """Ours alone: pytest puts its own beside it."""

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def log() -> Log:
    log = Log()
    configure_logging("json", "info", log.stream)
    (log.handler,) = logging.getLogger().handlers
    return log


def test_a_line_begins_with_time_level_and_event(log: Log) -> None:
    get_logger("safelight.worker").info("job.started", attempt=1)
    (line,) = log.lines
    assert list(line)[:3] == ["at", "level", "event"]
    assert (line["level"], line["event"], line["attempt"]) == ("info", "job.started", 1)
    assert line["logger"] == "safelight.worker"
    assert line["at"].endswith("Z")
    assert datetime.fromisoformat(line["at"]).tzinfo is not None


def test_a_logger_made_before_logging_was_set_up_follows_the_set_up() -> None:
    early = get_logger("safelight.early")
    log = Log()
    configure_logging("json", "info", log.stream)
    early.warning("late")
    assert log.lines[0]["event"] == "late"


def test_bound_ids_are_on_every_line_inside_and_on_none_outside(log: Log) -> None:
    logger = get_logger("x")
    with bound(request_id="r1"), bind_job(job_id="j1", user_id="local", kind="image"):
        logger.info("inside")
        logging.getLogger("library").warning("inside too")
    logger.info("outside")
    inside, inside_too, outside = log.lines
    for line in (inside, inside_too):
        assert {key: line[key] for key in ("request_id", "job_id", "user_id", "kind")} == {
            "request_id": "r1",
            "job_id": "j1",
            "user_id": "local",
            "kind": "image",
        }
    assert "job_id" not in outside
    assert "request_id" not in outside


def test_ids_follow_into_tasks_and_do_not_mix_between_them(log: Log) -> None:
    async def work(job_id: str, first: asyncio.Event, second: asyncio.Event) -> None:
        with bind_job(job_id=job_id):
            first.set()
            await second.wait()
            get_logger("x").info("done", expected=job_id)

    async def both() -> None:
        one, two = asyncio.Event(), asyncio.Event()
        await asyncio.wait_for(asyncio.gather(work("j1", one, two), work("j2", two, one)), 5)

    asyncio.run(both())
    assert sorted((line["job_id"], line["expected"]) for line in log.lines) == [("j1", "j1"), ("j2", "j2")]


def test_lines_below_the_level_are_left_out_wherever_they_come_from(log: Log) -> None:
    get_logger("x").debug("no")
    logging.getLogger("library").debug("no")
    logging.getLogger("httpx").info("no")
    assert log.text == ""


def test_secrets_are_masked_in_fields_texts_and_nested_values(log: Log) -> None:
    get_logger("x").info(
        "provider.called",
        api_key="hush",
        headers={"Authorization": "hush", "accept": "image/png"},
        url="http://h/a?exp=1&sig=hush",
        argv=["--key", "sk-hushhushhush"],
        max_tokens=7,
    )
    logging.getLogger("library").warning("connecting to %s", "postgresql://ann:hush@db/x")
    assert "hushhush" not in log.text
    line = log.lines[0]
    assert line["api_key"] == line["headers"]["Authorization"] == "***"
    assert line["headers"]["accept"] == "image/png"
    assert line["max_tokens"] == 7


def fail(password: str) -> None:
    raise ValueError(f"bad login Bearer {password}")


def test_an_exception_is_a_structured_traceback_without_local_variables(log: Log) -> None:
    try:
        fail("hush" * 3)
    except ValueError:
        get_logger("x").exception("job.failed")
    (line,) = log.lines
    (error,) = line["exception"]
    assert (error["exc_type"], error["exc_value"]) == ("ValueError", "bad login Bearer ***")
    assert [frame["name"] for frame in error["frames"]][-1] == "fail"
    assert "locals" not in log.text
    assert "hushhush" not in log.text


def test_an_exception_of_a_library_is_structured_too(log: Log) -> None:
    try:
        fail("x")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("crashed")
    (line,) = log.lines
    assert line["exception"][0]["exc_type"] == "ValueError"
    assert line["logger"] == "uvicorn.error"


def test_warnings_become_lines(log: Log) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("careful", UserWarning, stacklevel=1)
        logging.captureWarnings(False)
    assert "careful" in log.lines[0]["event"]


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def test_values_that_json_cannot_hold_are_shown_somehow(log: Log) -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    get_logger("x").info(
        "odd",
        nan=float("nan"),
        huge=10**5000,
        data=b"\x89PNG",
        unshowable=Unshowable(),
        cycle=cycle,
        keys={("a", 1): {2}},
        half="\ud83d",
        long="x" * 100_000,
    )
    (line,) = log.lines
    assert line["nan"] == "nan"
    assert line["huge"] == "<a number of 16610 bits>"
    assert line["data"] == "<4 bytes>"
    assert line["unshowable"].startswith("<Unshowable")
    assert line["keys"] == {"('a', 1)": [2]}
    assert line["half"] == "\\ud83d"
    assert len(line["long"]) < 9_000
    assert len(log.text) < 20_000


def test_a_wide_and_deep_value_is_cut(log: Log) -> None:
    wide: Any = "leaf"
    for _ in range(12):
        wide = [wide] * 50
    get_logger("x").info("wide", value=wide)
    assert len(log.text) < 100_000


def test_a_record_whose_arguments_do_not_fit_is_still_written(log: Log) -> None:
    assert log.handler is not None
    log.handler.handle(logging.makeLogRecord({"msg": "%d of %d", "args": ("many",)}))
    assert log.lines[0]["event"] == "%d of %d ('many',)"


def test_a_closed_stream_loses_the_line_and_nothing_else(log: Log) -> None:
    log.stream.close()
    get_logger("x").info("into the void")
    logging.getLogger("library").warning("into the void")


def test_a_stream_that_knows_only_ascii_still_gets_the_line() -> None:
    raw = io.BytesIO()
    configure_logging("console", "info", io.TextIOWrapper(raw, "ascii", write_through=True))
    get_logger("x").info("drawn", prompt="狐")
    assert b"\\u72d0" in raw.getvalue()


def test_in_a_terminal_lines_are_for_people() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    configure_logging("auto", "info", stream)
    get_logger("x").info("job.started", attempt=1)
    assert "job.started" in stream.getvalue()
    with pytest.raises(json.JSONDecodeError):
        json.loads(stream.getvalue())


def test_elsewhere_auto_means_json() -> None:
    log = Log()
    configure_logging("auto", "info", log.stream)
    get_logger("x").info("job.started")
    assert log.lines[0]["event"] == "job.started"


def test_a_prompt_can_neither_forge_a_line_nor_steer_the_terminal() -> None:
    log = Log()
    configure_logging("console", "info", log.stream)
    get_logger("x").info("job.submitted", prompt="fox\n12:00:00 job.completed\x1b[2J", plain="\x1b]0;x\x07")
    logging.getLogger("library").warning("fox\r\n\x1b[31m")
    assert len(log.text.splitlines()) == 2
    assert "\x1b" not in log.text
    assert "\x07" not in log.text


def test_an_exception_in_a_terminal_keeps_its_lines_and_loses_its_secrets() -> None:
    log = Log()
    configure_logging("console", "info", log.stream)
    try:
        fail("hush" * 3)
    except ValueError:
        get_logger("x").exception("job.failed")
    assert "Traceback (most recent call last):\n" in log.text
    assert "ValueError: bad login Bearer ***" in log.text
    assert "hushhush" not in log.text


def test_setting_up_twice_writes_every_line_once() -> None:
    log = Log()
    configure_logging("json", "info", log.stream)
    configure_logging("json", "info", log.stream)
    logging.getLogger("library").warning("once")
    get_logger("x").info("once")
    assert len(log.lines) == 2


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=[]))
    | st.binary()
    | st.builds(object)
    | st.builds(Unshowable)
    | st.datetimes(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4)
        | st.tuples(inner)
    ),
    max_leaves=12,
)


@given(ANYTHING, st.text(st.characters(exclude_categories=[])))
def test_no_value_makes_a_line_crash_or_unreadable(value: Any, event: str) -> None:
    log = Log()
    configure_logging("json", "info", log.stream)
    get_logger("x").info(event, value=value)
    (line,) = log.lines
    assert "value" in line
    json.dumps(line, ensure_ascii=False).encode("utf-8")
