"""What a process can say about itself and about other processes of its machine."""

from __future__ import annotations

import gc
import os
import platform
import resource
import socket
import sys
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_ENDED = frozenset("ZX")
"""States of a process that has ended and was not yet asked for by its parent."""
_START_TIME_FIELD = 19
"""Of /proc/<pid>/stat, counted after the command name: clock ticks since boot (proc_pid_stat(5), field 22)."""


def host_name() -> str:
    return socket.gethostname()


def boot_id() -> str:
    """Names the world of process ids that this process lives in: it changes with every boot and every container.

    Where there is no such name, the host's stands in.
    """
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink(_PROC / 'self/ns/pid')}"
    except OSError:
        return f"{platform.system()}-{host_name()}"


def process_started(pid: int) -> str | None:
    """When a process started, in the system's own unit; None if it has ended or the system does not say."""
    fields = _stat(pid)
    return None if fields is None or fields[0] in _ENDED else fields[_START_TIME_FIELD]


def is_gone(pid: int, started: str) -> bool:
    """Whether the process that started then has certainly ended. A system that does not say proves nothing."""
    if _stat(pid) is not None:
        return process_started(pid) != started
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False  # it is there, and hidden from us
    return False


def raise_open_files() -> None:
    """As many open files and connections as the system allows this process: each call and each visitor is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS says infinity and takes less
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def most_connections() -> int:
    """How many connections visitors may hold: a quarter of the open files is for the database, files and calls.

    Without those nothing that was accepted could be finished.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft * 3 // 4


def settle_memory() -> None:
    """What is there when a process starts to work stays: the garbage collector need not look at it ever again.

    It is also called less often than for a script: a job makes and drops many small things.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def rss_bytes() -> int:
    """Memory this process holds now; 0 where the system does not say."""
    try:
        pages = int((_PROC / "self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def memory_bytes() -> int | None:
    """What this machine, or the container it is, has of memory; None where the system does not say."""
    found = []
    with suppress(OSError, ValueError):
        found.append(int(_CGROUP_LIMIT.read_text()))  # `max` where there is none
    with suppress(OSError, ValueError):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(found, default=None)


def _stat(pid: int) -> list[str] | None:
    """What /proc says of a process after its name, the state first."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
