"""The list of rules: each is a small pure function from facts to findings, and says which codes it may give."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from safelight.diagnosis.facts import Facts
from safelight.diagnosis.finding import Finding

Look = Callable[[Facts], Iterable[Finding]]


class Rule(NamedTuple):
    codes: tuple[str, ...]
    look: Look

    @property
    def about(self) -> str:
        """Its sentence, for the documentation."""
        return " ".join((self.look.__doc__ or "").split())


RULES: list[Rule] = []


def rule(*codes: str) -> Callable[[Look], Look]:
    """Put a function on the list."""

    def listed(look: Look) -> Look:
        RULES.append(Rule(codes, look))
        return look

    return listed
