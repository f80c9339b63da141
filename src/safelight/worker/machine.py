"""What a process can say about itself and about other processes of its machine."""

from __future__ import annotations

import os
import platform
import socket
from pathlib import Path

_PROC = Path("/proc")
_START_TIME_FIELD = 19
"""Of /proc/<pid>/stat, counted after the command name: clock ticks since boot (proc_pid_stat(5), field 22)."""


def host_name() -> str:
    return socket.gethostname()


def boot_id() -> str:
    """Changes with every boot; where there is none, the host's name stands in."""
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return f"{platform.system()}-{host_name()}"


def process_started(pid: int) -> str | None:
    """When a process started, in the system's own unit; None if it is gone or the system does not say."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    return stat.rpartition(")")[2].split()[_START_TIME_FIELD]


def tells_processes_apart() -> bool:
    """Whether `process_started` can be relied on here."""
    return process_started(os.getpid()) is not None


def rss_bytes() -> int:
    """Memory this process holds now; 0 where the system does not say."""
    try:
        pages = int((_PROC / "self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
