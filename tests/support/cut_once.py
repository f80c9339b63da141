"""Between a client and a server: the first connection is cut once something has happened, later ones are left alone."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

PATIENCE_S = 30.0


class CutOnce:
    """Passes bytes on; of the first connection no answer comes back, and it ends as soon as `happened` says so."""

    def __init__(self, url: str, happened: Callable[[], Any]) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self._to, self._happened = (host, int(port)), happened
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.cuts = 0
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._begin(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def _begin(self, run: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=run, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        first = True
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._to, PATIENCE_S)
            self._begin(self._pass, near, far)
            self._begin(self._cut if first else self._pass, far, near)
            first = False

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65_536):
                sink.sendall(piece)
        _end(source, sink)

    def _cut(self, source: socket.socket, sink: socket.socket) -> None:
        give_up_at = time.monotonic() + PATIENCE_S
        while not self._happened() and time.monotonic() < give_up_at:
            threading.Event().wait(0.01)
        self.cuts += 1
        _end(source, sink)


def _end(*sockets: socket.socket) -> None:
    for each in sockets:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
