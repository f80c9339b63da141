"""`safelight worker` whose provider blocks the event loop at its first call: a program for the crash tests."""

from __future__ import annotations

import time
from typing import Any

from safelight.cli.main import main
from safelight.providers.procedural.provider import ProceduralProvider


async def block_the_loop(*_: Any) -> None:
    """As a synchronous client in an adapter would."""
    while True:
        time.sleep(3600)  # noqa: ASYNC251


if __name__ == "__main__":
    ProceduralProvider.start = block_the_loop  # type: ignore[method-assign, assignment]
    main()
