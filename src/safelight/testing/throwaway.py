"""What servers that are started for a test have in common."""

from __future__ import annotations

import socket


class NoServer(Exception):
    """No server of that kind can be had; the text says how to get one."""


def free_port() -> int:
    """A loopback port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
