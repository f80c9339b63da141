"""A spell of trouble: said once when it begins and once when it is over, however often it is met in between."""

from __future__ import annotations

from typing import Any

import structlog

from safelight.domain.clock import local_s


class Spell:
    """One thing that can be out of order, such as a database that is away. Each part of a process keeps its own."""

    def __init__(self, logger: structlog.typing.FilteringBoundLogger, event: str) -> None:
        self._log, self._event = logger, event
        self._since_s: float | None = None

    @property
    def lasts(self) -> bool:
        return self._since_s is not None

    def met(self, reason: object, **fields: Any) -> None:
        """The trouble was met: a warning the first time."""
        if self._since_s is None:
            self._since_s = local_s()
            self._log.warning(self._event, error=str(reason), **fields)
        else:
            self._log.debug(self._event, error=str(reason), **fields)

    def over(self) -> None:
        """All is well; said only if it was not."""
        if self._since_s is not None:
            self._log.info(f"{self._event}_no_longer", after_s=round(local_s() - self._since_s, 1))
            self._since_s = None
