"""A look at something that may never answer: it gets its time, and then others go on without it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from safelight.diagnosis.facts import Trouble
from safelight.domain.errors import Remedy, SafelightError

T = TypeVar("T")
_CHECK = Remedy("Check that it runs and that nothing stands between it and this machine.")
_SAY = Remedy("Look into the log; if it happens again, report it.")


async def looked_at(what: str, look: Awaitable[T], within_s: float) -> T | Trouble:
    """What it brought, or why it brought nothing. Whatever a look raises is a fact, too."""
    try:
        async with asyncio.timeout(within_s):
            return await look
    except TimeoutError:
        return Trouble(f"{what} did not answer within {within_s:g} s.", _CHECK, "timeout")
    except SafelightError as error:
        return Trouble(error.what, error.remedy, str(error.evidence.get("trouble", "failed")))
    except Exception as error:  # the edge: a driver's or an adapter's own must not silence everything else
        return Trouble(f"{what} could not be looked at: {type(error).__name__}: {error}", _SAY)


def in_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    """Run blocking work in a thread that nobody waits for at the end: one that hangs keeps no process alive."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # what `work` gave

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:
            error = raised
        with suppress(RuntimeError):  # nobody waits any more: the loop is closed
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="safelight-look", daemon=True).start()
    return done
