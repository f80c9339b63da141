"""A process may have as many open files as the system allows it: each visitor and each call is one."""

from __future__ import annotations

import subprocess
import sys

RAISED = """
import resource
from safelight.worker.machine import raise_open_files
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
raise_open_files()
assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
"""


def test_a_process_that_begins_to_work_raises_its_limit_to_what_it_may_have() -> None:
    ended = subprocess.run([sys.executable, "-c", RAISED], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
