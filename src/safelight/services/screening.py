"""Prompt hooks: whoever runs an installation may refuse prompts before anything is held or paid.

A hook is a callable that takes what is asked and returns the reason to refuse it, or None. Installed packages offer
theirs under the entry point group `safelight.prompt_hooks`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from safelight.domain.errors import ContentRejected, Remedy, Unavailable
from safelight.domain.text import presentable

log = structlog.get_logger(__name__)

GROUP = "safelight.prompt_hooks"
ANSWERS_WITHIN_S = 5.0
"""One hook, for all prompts of a request."""
MOST_HANGING = 4
"""So many threads of one hook may hang before it is not asked any more until one of them ends."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt, and what it is for."""

    prompt: str
    kind: str
    model: str
    user_id: str


PromptHook = Callable[[Asked], str | None]


class HookFailed(Exception):
    """It raised, answered something else than text or None, or did not answer in time."""


class NamedHook:
    """A hook in a thread of its own, so that one that hangs holds up nothing else."""

    def __init__(self, name: str, hook: PromptHook, within_s: float = ANSWERS_WITHIN_S) -> None:
        self.name, self._hook, self._within_s = name, hook, within_s
        self._running = 0

    async def reasons(self, asked: Sequence[Asked]) -> list[str | None]:
        """In the order asked, why each is refused. Raises HookFailed."""
        if self._running >= MOST_HANGING:
            raise HookFailed(f"{self._running} earlier calls of it still hang")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[str | None]] = loop.create_future()
        self._running += 1
        threading.Thread(
            target=self._run, args=(loop, answer, asked), name=f"prompt-hook-{self.name}", daemon=True
        ).start()
        try:
            async with asyncio.timeout(self._within_s):
                return await answer
        except TimeoutError as error:
            raise HookFailed(f"it did not answer within {self._within_s:g} s") from error

    def _run(
        self, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[list[str | None]], asked: Sequence[Asked]
    ) -> None:
        try:
            found: list[str | None] | HookFailed = [self._ask(each) for each in asked]
        except Exception as error:  # a hook is foreign code
            found = HookFailed(f"{type(error).__name__}: {error}")
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._answered, answer, found)

    def _ask(self, asked: Asked) -> str | None:
        reason = self._hook(asked)
        if reason is None or isinstance(reason, str):
            return reason and presentable(reason)
        raise HookFailed(f"it answered {type(reason).__name__}, not a text or None")

    def _answered(self, answer: asyncio.Future[list[str | None]], found: list[str | None] | HookFailed) -> None:
        self._running -= 1
        if answer.done():
            return
        if isinstance(found, HookFailed):
            answer.set_exception(found)
        else:
            answer.set_result(found)


@dataclass(frozen=True, slots=True)
class Screen:
    """All hooks of an installation, asked in turn. `on_failure`: what follows when one gives no answer."""

    hooks: Sequence[NamedHook] = ()
    on_failure: Literal["refuse", "allow"] = "refuse"

    async def check(self, asked: Sequence[Asked], paths: Sequence[str]) -> None:
        """Raises ContentRejected naming every refused prompt by its path, or Unavailable where nobody knows."""
        for hook in self.hooks:
            try:
                reasons = await hook.reasons(asked)
            except HookFailed as error:
                log.error("prompt_hook_failed", hook=hook.name, error=str(error), then=self.on_failure)
                if self.on_failure == "refuse":
                    raise _no_answer(hook.name) from error
                continue
            refused = {path: [reason] for path, reason in zip(paths, reasons, strict=True) if reason}
            if refused:
                log.info("prompt_refused", hook=hook.name, prompts=len(refused))
                raise ContentRejected(refused)


NO_HOOKS = Screen()


def _no_answer(name: str) -> Unavailable:
    return Unavailable(
        f"The prompt could not be checked: the check {name!r} gave no answer.",
        remedy=Remedy("Try again later; if it stays so, tell the operator: the log has the reason."),
        evidence={"hook": name},
    )
