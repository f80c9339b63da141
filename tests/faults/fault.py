"""What a fault is: how it is injected, what must be said of it, and what must become of it by the remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tests.faults.system import System

Ask = Literal["doctor", "explain"]
BOTH = ("sqlite", "postgres")
Evidence = Mapping[str, Any]
"""By name the value that the evidence must have, or a function that says whether it will do."""


@dataclass(frozen=True, slots=True)
class Injected:
    """What was done to a system.

    `job` is the one that is explained, and that must end well by the remedy unless `ends` is empty. `by_hand` is what
    an operator does who reads the remedy's words, after its command. `also` are codes that rightly stand beside.
    """

    job: str | None = None
    evidence: Evidence = field(default_factory=dict)
    by_hand: Callable[[], object] | None = None
    also: frozenset[str] = frozenset()
    ends: tuple[str, ...] = ("completed",)
    affects: tuple[int, int] | None = None
    """Jobs and credits."""
    within_s: float = 40.0
    """How long it may take until the job has ended."""


@dataclass(frozen=True, slots=True)
class Fault:
    """`goes` is whether the finding must be gone after the remedy: of a job that has ended, the reason stays."""

    code: str
    disguise: str
    ask: Ask
    inject: Callable[[System], Injected]
    databases: tuple[str, ...]
    settings: Mapping[str, object]
    goes: bool

    @property
    def name(self) -> str:
        return f"{self.code}: {self.disguise}"


@dataclass(frozen=True, slots=True)
class Unusual:
    """A healthy system that looks odd: nothing may be found above `info`."""

    name: str
    arrange: Callable[[System], object]
    settings: Mapping[str, object]


FAULTS: Final[list[Fault]] = []
HEALTHY: Final[list[Unusual]] = []

Inject = Callable[[System], Injected]
Arrange = Callable[[System], object]


def fault(
    code: str, disguise: str, *, ask: Ask = "doctor", on: tuple[str, ...] = BOTH, goes: bool = True, **settings: object
) -> Callable[[Inject], Inject]:
    """Register an injection. `on` are the databases on which it can be; `settings` are those of its system."""

    def register(inject: Inject) -> Inject:
        FAULTS.append(Fault(code, disguise, ask, inject, on, settings, goes))
        return inject

    return register


def healthy(name: str, **settings: object) -> Callable[[Arrange], Arrange]:
    """Register a system in which nothing is wrong."""

    def register(arrange: Arrange) -> Arrange:
        HEALTHY.append(Unusual(name, arrange, settings))
        return arrange

    return register
