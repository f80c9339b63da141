"""Set up logging: JSON lines in production, readable lines in a terminal, the same fields in both.

structlog's lines and those of libraries that use the standard library (uvicorn, alembic) go through one
chain of processors to one stream. A line is never worth a crash: what cannot be written is shown by
its repr, and what cannot be shown is dropped.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from safelight.telemetry.safe import as_safe, without_control_characters

NOISY = ("httpx", "httpcore", "PIL", "asyncio", "multipart", "alembic", "uvicorn")
"""Libraries that say at INFO or DEBUG what nobody asked for."""
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, check_circular=False)


def configure_logging(
    log_format: Literal["auto", "json", "console"] = "auto", level: str = "info", stream: TextIO | None = None
) -> None:
    """Send every log line of this process to `stream` (default: standard error). May be called again."""
    sink = _Sink(stream or sys.stderr)
    console = log_format == "console" or (log_format == "auto" and sink.is_terminal)
    chain = _chain(console=console, colors=sink.is_terminal)
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.add_log_level, _add_name, *chain],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda name="": _Named(sink, name),
        cache_logger_on_first_use=False,
    )
    _take_over_standard_logging(_Bridge(chain, sink), threshold)


@contextmanager
def bound(**fields: Any) -> Iterator[None]:
    """Put these fields on every line inside the block, in tasks started there too. None is left out."""
    with structlog.contextvars.bound_contextvars(**{key: value for key, value in fields.items() if value is not None}):
        yield


@contextmanager
def bind_job(
    *, job_id: str, user_id: str | None = None, kind: str | None = None, request_id: str | None = None
) -> Iterator[None]:
    """Say on every line inside the block which job it is about."""
    with bound(job_id=job_id, user_id=user_id, kind=kind, request_id=request_id):
        yield


def _chain(*, console: bool, colors: bool) -> list[Processor]:
    if console:
        return [
            _stamp_local,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            as_safe,
            without_control_characters,
            _console_renderer(colors),
        ]
    traceback = structlog.tracebacks.ExceptionDictTransformer(show_locals=False, max_frames=30)
    return [
        _stamp,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.ExceptionRenderer(traceback),
        as_safe,
        _as_json_line,
    ]


def _console_renderer(colors: bool) -> Processor:
    return structlog.dev.ConsoleRenderer(
        colors=colors,
        timestamp_key="at",
        pad_event_to=24,
        exception_formatter=structlog.dev.plain_traceback,
    )


def _add_name(logger: WrappedLogger, _: str, line: EventDict) -> EventDict:
    if logger.name:
        line["logger"] = logger.name
    return line


def _stamp(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """UTC, milliseconds, Z; and the fields people look for first, first."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"at": now, "level": line.pop("level", "info"), "event": line.pop("event", ""), **line}


def _stamp_local(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    line["at"] = datetime.now().astimezone().strftime("%H:%M:%S.%f")[:-3]
    return line


def _as_json_line(_: WrappedLogger, __: str, line: EventDict) -> str:
    return _ENCODER.encode(line)


class _Sink:
    """Writes whole lines from any thread. What a closed stream or a full disk takes is the line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    @property
    def is_terminal(self) -> bool:
        return self._stream.isatty()

    def write(self, line: str) -> None:
        with self._lock:
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except UnicodeEncodeError:
                self._stream.write(line.encode("ascii", "backslashreplace").decode("ascii") + "\n")
                self._stream.flush()
            except (OSError, ValueError):
                pass  # nowhere left to complain


class _Named:
    """What structlog calls with a finished line: the sink, and the name of the module that logs."""

    def __init__(self, sink: _Sink, name: str) -> None:
        self.name = name
        self.debug = self.info = self.warning = self.error = self.critical = sink.write


class _Bridge(logging.Handler):
    """Takes a record of the standard library's logging through the same chain."""

    def __init__(self, chain: Sequence[Processor], sink: _Sink) -> None:
        super().__init__()
        self._chain = chain
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line: Any = {
                **structlog.contextvars.get_contextvars(),
                "level": record.levelname.lower(),
                "event": _message(record),
                "logger": record.name,
                "exc_info": record.exc_info,
            }
            for process in self._chain:
                line = process(None, record.levelname.lower(), line)
            self._sink.write(line)
        except Exception:
            self.handleError(record)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # arguments that do not fit the format
        return f"{record.msg} {record.args!r}"


def _take_over_standard_logging(bridge: logging.Handler, threshold: int) -> None:
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(bridge)
    root.setLevel(threshold)
    for name in NOISY:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))
    logging.captureWarnings(True)
