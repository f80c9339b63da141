"""Make a log line fit to write: no secrets, nothing that JSON cannot hold, nothing endless."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from structlog.typing import EventDict, WrappedLogger

from safelight.domain.secrets import MASK
from safelight.telemetry.redact import is_secret_name, redact

DEEPEST = 12
MOST_VALUES = 2_000
LONGEST_TEXT = 8_000
LONGEST_NAME = 200

_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_ESCAPES |= {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t", 0x2028: "\\u2028", 0x2029: "\\u2029"}
_ESCAPES_BUT_NEWLINE = {code: text for code, text in _ESCAPES.items() if code != ord("\n")}
_HAS_LINES = frozenset({"exception", "stack"})


def as_safe(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Redact and simplify every value of the line. Runs after tracebacks are rendered: they quote values too."""
    simplifier = _Simplifier(MOST_VALUES)
    return {name: simplifier.value(name, value, 0) for name, value in _named(line.items())}


def without_control_characters(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """Show control characters as escapes, so that a prompt cannot forge lines or steer the terminal."""
    return {name: _escaped(name, value) for name, value in line.items()}


class _Simplifier:
    """Walks one line's values; gives up on the rest after so many, so that cycles and giants end."""

    def __init__(self, most_values: int) -> None:
        self._left = most_values

    def value(self, name: str, value: Any, depth: int) -> Any:
        self._left -= 1
        match value:
            case None | bool():
                return value
            case int():
                return int(value) if value.bit_length() <= 1_000 else f"<a number of {value.bit_length()} bits>"
            case float():
                return value if math.isfinite(value) else repr(value)
            case _ if is_secret_name(name):
                return MASK
            case str():
                return _text(value)
            case bytes() | bytearray() | memoryview():
                return f"<{len(value)} bytes>"
            case Mapping() | list() | tuple() | set() | frozenset() if depth >= DEEPEST or self._left <= 0:
                return "…"
            case Mapping():
                items = islice(_named(value.items()), self._left)
                return {key: self.value(key, item, depth + 1) for key, item in items}
            case list() | tuple() | set() | frozenset():
                return [self.value(name, item, depth + 1) for item in islice(value, self._left)]
            case _:
                return _text(_repr(value))


def _named(items: Iterable[tuple[Any, Any]]) -> Iterable[tuple[str, Any]]:
    return ((key if isinstance(key, str) else _repr(key)[:LONGEST_NAME], value) for key, value in items)


def _text(text: str) -> str:
    """Redacted before it is cut: half a key is still a secret."""
    if len(text) > 4 * LONGEST_TEXT:
        text = text[: 4 * LONGEST_TEXT]
    text = redact(text)
    if not text.isascii():  # half a surrogate pair is no character, and strict readers of JSON refuse it
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}… ({len(text)} characters)"


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:
        return f"<{type(value).__name__}, whose repr failed with {type(error).__name__}>"


def _escaped(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return value.translate(_ESCAPES_BUT_NEWLINE if name in _HAS_LINES else _ESCAPES)
