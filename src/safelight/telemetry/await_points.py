"""A crash point at every await of the worker's coroutines, without a line in them: `LiveCall._begin.start`.

A point is named after the function of `safelight/worker/` that waits and what it waits for. Only in a process with
armed crash points is a coroutine looked at while it runs; in every other one it is handed back as it is.
"""

from __future__ import annotations

import linecache
import os
import re
from collections.abc import Coroutine, Generator
from types import CodeType, CoroutineType, FrameType
from typing import Any, TypeVar

from safelight.telemetry import crash_points

T = TypeVar("T")
WATCHED = os.sep + os.path.join("safelight", "worker") + os.sep
HELPERS = frozenset({"_surely", "patiently"})
"""Functions that wait for whatever their caller gives them: the caller is the place."""
CALLEE = re.compile(r"(?:await\s+)?([\w.]+)")


def crashable(work: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
    """The same work; where crash points are armed, each of its awaits is one."""
    return _Watched(work) if crash_points.PLANS else work


def point_name(function: str, awaited: str) -> str:
    """`function` as its qualified name, `awaited` as written in the source: `await self._provider.start(...)`."""
    callee = CALLEE.match(awaited.strip())
    return f"{function}.{callee[1].rpartition('.')[2] if callee else 'await'}"


class _Watched(Coroutine[Any, Any, T]):
    """Hands everything through; whenever the work has begun to wait for something, that point is reached."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work

    def send(self, value: Any) -> Any:
        return self._at_await(self._work.send(value))

    def throw(self, *error: Any) -> Any:
        return self._at_await(self._work.throw(*error))

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> Generator[Any, Any, T]:
        return self._work.__await__()

    def _at_await(self, waits_for: Any) -> Any:
        try:
            if name := _innermost(self._work):
                crash_points.reach(name)
        except crash_points.CrashPointReached as error:
            return self._work.throw(error)
        return waits_for


def _innermost(work: Any) -> str | None:
    """The name of the place where it waits now."""
    name = None
    while isinstance(work, CoroutineType):
        frame = work.cr_frame
        if frame is not None and WATCHED in frame.f_code.co_filename and frame.f_code.co_name not in HELPERS:
            name = point_name(frame.f_code.co_qualname, _source_of_await(frame))
        work = work.cr_await
    return name


def _source_of_await(frame: FrameType) -> str:
    line, column = _position(frame.f_code, frame.f_lasti)
    return linecache.getline(frame.f_code.co_filename, line)[column:]


def _position(code: CodeType, instruction: int) -> tuple[int, int]:
    line, _, column, _ = list(code.co_positions())[instruction // 2]
    return line or code.co_firstlineno, column or 0
