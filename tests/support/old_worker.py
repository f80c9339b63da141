"""`safelight worker` of an earlier release: a program for tests of what is said of such workers."""

from __future__ import annotations

import safelight

safelight.__version__ = "0.0.1"

from safelight.cli.main import main  # noqa: E402 - what it imports reads the version

if __name__ == "__main__":
    main()
