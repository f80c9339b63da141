"""The renderer's own process: `python -m safelight.providers.procedural.renderer`, spoken to in frames over its pipes.

It draws one order after the other, niced, and looks between stages whether the order was stopped. It ends when its
standard input closes, so it never outlives the process that started it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from queue import SimpleQueue
from typing import BinaryIO

from safelight.providers.procedural import noise
from safelight.providers.procedural.encode import encode, encode_preview
from safelight.providers.procedural.frames import Frame, read
from safelight.providers.procedural.order import Order
from safelight.providers.procedural.render import render
from safelight.providers.procedural.scene import compose

NICENESS = 10
Send = Callable[[Frame], None]


class Stopped(Exception):
    """Nobody wants the order any more."""


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
        """Orders are drawn by rising number, so nothing up to this one is needed again."""
        self._stopped = {later for later in self._stopped if later > number}


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal group; the parent decides
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    answers = _private_stdout()
    inbox = Inbox()
    threading.Thread(target=inbox.listen, args=(sys.stdin.buffer,), daemon=True).start()
    if inbox.orders.empty():
        noise.warm_up()

    def send(frame: Frame) -> None:
        answers.write(frame.packed())
        answers.flush()

    try:
        send(Frame({"number": 0, "is": "ready"}))
        while True:
            serve(inbox.orders.get(), inbox, send)
    except BrokenPipeError:
        os._exit(0)


def _private_stdout() -> BinaryIO:
    """Keep standard output for frames; whatever else prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def serve(frame: Frame, inbox: Inbox, send: Send) -> None:
    """Draw one order and answer it: stages, pictures, then exactly one of done, stopped, failed."""
    number = frame.head["number"]
    try:
        _draw(number, Order(**frame.head["order"]), inbox, send)
        send(Frame({"number": number, "is": "done"}))
    except Stopped:
        send(Frame({"number": number, "is": "stopped"}))
    except BrokenPipeError:
        raise
    except Exception as error:  # the edge of the renderer's loop: one bad picture must not end it
        traceback.print_exc()
        send(Frame({"number": number, "is": "failed", "why": f"{type(error).__name__}: {error}"}))
    finally:
        inbox.forget(number)


def _draw(number: int, order: Order, inbox: Inbox, send: Send) -> None:
    for at in range(order.n):
        if inbox.stopped(number):
            raise Stopped
        scene = compose(order.prompt, order.seed + at)
        for stage in render(scene, order.width, order.height):
            if inbox.stopped(number):
                raise Stopped
            progress = (at + stage.progress) / order.n
            send(Frame({"number": number, "is": "stage", "progress": progress}, encode_preview(stage.canvas.preview())))
        send(
            Frame(
                {"number": number, "is": "picture", "seed": order.seed + at}, encode(stage.canvas.image(), order.format)
            )
        )


if __name__ == "__main__":
    main()
