"""A wire to a server on a loopback port that can be cut and mended: a database that is away, seen from its clients."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit


class Wire:
    """Forwards bytes from a port of its own. While it is cut, its connections are gone and new ones refused."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._ends: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._serve()

    def cut(self) -> None:
        """As if the server had died."""
        _end(self._listening)
        with self._lock:
            for end in self._ends:
                _end(end)
            self._ends.clear()

    def mend(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self._serve()

    def _serve(self) -> None:
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listening.accept()
                far = socket.create_connection(self._server)
                with self._lock:
                    self._ends |= {near, far}
                if listening is not self._listening or listening.fileno() < 0:
                    _end(near)
                    _end(far)
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_forward, args=(source, sink), daemon=True).start()


@contextmanager
def wired(url: str) -> Iterator[tuple[Wire, str]]:
    """A wire to the server of a URL, and the URL that leads through it."""
    parts = urlsplit(url)
    wire = Wire(parts.hostname or "127.0.0.1", parts.port or 5432)
    user, _, _ = parts.netloc.rpartition("@")
    through = f"{user}@127.0.0.1:{wire.port}" if user else f"127.0.0.1:{wire.port}"
    try:
        yield wire, urlunsplit(parts._replace(netloc=through))
    finally:
        wire.cut()


def _forward(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    _end(sink)
    _end(source)


def _end(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
