"""`safelight worker` whose provider blocks the event loop for seconds: a program for the fault laboratory."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from safelight.cli.main import main
from safelight.domain.outcomes import RemoteState
from safelight.providers.procedural.provider import ProceduralProvider
from safelight.testing.providers import done

BLOCKS_S, TIMES = 2.0, 6


async def block_again_and_again(*_: Any) -> RemoteState:
    """As an adapter would that computes where it should wait."""
    for _time in range(TIMES):
        time.sleep(BLOCKS_S)  # noqa: ASYNC251
        await asyncio.sleep(0.1)
    return done()


if __name__ == "__main__":
    ProceduralProvider.start = block_again_and_again  # type: ignore[method-assign, assignment]
    main()
