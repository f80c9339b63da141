"""The child's end: it takes one order after the other, niced, and looks between steps whether the order was stopped.

A child ends when its standard input closes, so it never outlives the process that started it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, BinaryIO

from safelight.children.errands import Errand
from safelight.children.frames import Frame, read
from safelight.domain.outcomes import ErrorClass

NICENESS = 10
Send = Callable[[Frame], None]


class Stopped(Exception):
    """Nobody wants the order any more."""


class Refused(Exception):
    """The order cannot be carried out, for a reason that its sender should hear as it is."""

    def __init__(self, error_class: ErrorClass, message: str, *, worn_out: bool = False) -> None:
        """`worn_out`: this process is not to be given another order, such as after it ran out of memory."""
        super().__init__(message)
        self.error_class, self.worn_out = error_class, worn_out


class Inbox:
    """Orders that wait, and the numbers of those that were stopped."""

    def __init__(self) -> None:
        self.orders: SimpleQueue[Frame] = SimpleQueue()
        self._stopped: set[int] = set()

    def listen(self, stream: BinaryIO) -> None:
        """Sort what comes in; runs in its own thread until the other side is gone, then ends the process."""
        while (frame := read(stream)) is not None:
            if "stop" in frame.head:
                self._stopped.add(frame.head["stop"])
            else:
                self.orders.put(frame)
        os._exit(0)

    def stopped(self, number: int) -> bool:
        return number in self._stopped

    def forget(self, number: int) -> None:
        """Orders are worked on by rising number, so nothing up to this one is needed again."""
        self._stopped = {later for later in self._stopped if later > number}


class Counter:
    """Where the work on one order hands over what it has; every call raises Stopped once nobody wants it."""

    def __init__(self, number: int, inbox: Inbox, send: Send) -> None:
        self._number, self._inbox, self._send = number, inbox, send

    def check(self) -> None:
        if self._inbox.stopped(self._number):
            raise Stopped

    def stage(self, progress: float, preview: bytes = b"") -> None:
        """How far it is, 0..1, with a small WebP picture of the work so far if there is one."""
        self.check()
        self._send(Frame({"number": self._number, "is": "stage", "progress": progress}, preview))

    def file(self, data: bytes, mime: str, **about: Any) -> None:
        """A finished file; `about` are the other fields of an Output."""
        self.check()
        self._send(Frame({"number": self._number, "is": "file", "mime": mime, **about}, data))


Work = Callable[[Errand, Counter], None]


def run(work: Work, warm_up: Callable[[], None] | None = None) -> None:
    """The child's whole life. `warm_up` is left out if somebody waits already."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal group; the parent decides
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    answers = _private_stdout()
    inbox = Inbox()
    threading.Thread(target=inbox.listen, args=(sys.stdin.buffer,), daemon=True).start()
    if warm_up is not None and inbox.orders.empty():
        warm_up()

    def send(frame: Frame) -> None:
        answers.write(frame.packed())
        answers.flush()

    try:
        send(Frame({"number": 0, "is": "ready"}))
        while True:
            serve(inbox.orders.get(), work, inbox, send)
    except BrokenPipeError:
        os._exit(0)


def _private_stdout() -> BinaryIO:
    """Keep standard output for frames; whatever else prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def serve(frame: Frame, work: Work, inbox: Inbox, send: Send) -> None:
    """Carry out one order and answer it: stages, files, then exactly one of done, stopped, refused, failed."""
    number = frame.head["number"]
    counter = Counter(number, inbox, send)
    end: dict[str, Any] = {"is": "done"}
    try:
        counter.check()
        work(Errand(frame.head["order"], frame.body), counter)
    except Stopped:
        end = {"is": "stopped"}
    except Refused as refusal:
        end = {"is": "refused", "class": str(refusal.error_class), "why": str(refusal), "worn_out": refusal.worn_out}
    except BrokenPipeError:
        raise
    except Exception as error:  # the edge of the child's loop: one bad order must not end it
        traceback.print_exc()
        end = {"is": "failed", "why": f"{type(error).__name__}: {error}"}
    send(Frame({"number": number, **end}))
    inbox.forget(number)
