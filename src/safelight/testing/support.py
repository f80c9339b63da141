"""What an adapter says it supports. The conformance suite holds it to that; `docs/providers.md` is written from it."""

from __future__ import annotations

from dataclasses import dataclass

from safelight.testing.mishaps import REFUSALS, Mishap


@dataclass(frozen=True, slots=True)
class Support:
    """A declaration; what is said here is tested, and what is not said is not claimed."""

    title: str
    kinds: tuple[str, ...]
    asynchronous: bool
    """`start` answers with a name under which the call goes on by itself: it can be polled, resumed and canceled."""
    refusals: frozenset[Mishap] = frozenset(REFUSALS)
    """Those that this provider knows."""
    cancels: bool = False
    finds: bool = False
    hears: bool = False
    """It announces by itself what became of a call."""
    idempotent: bool = False
    most_outputs: int = 1
    """In one call."""
    inputs: tuple[str, ...] = ()
    """Roles of the pictures it takes."""
    addresses: bool = False
    """It delivers addresses to fetch at once, and they expire."""
    tells_progress: bool = False
    """Its polls may say how far it is."""
    tells_queue: bool = False
    """Its polls say whether it has begun, or waits for a machine."""
    streams: bool = False
    """Text, while it is written."""
    says_when: bool = True
    """Its 429 may say when to come again."""
    estimates: bool = False
    """A cold start comes with an estimate."""
    request_ids: bool = True
    reports_timeouts: bool = False
    """It says so when it gives up on a generation that takes too long."""
    knows_money: bool = False
    """The probe can tell that there is no money."""
    driven_by: str = ""
    """The official client that drives its stand-in too."""


@dataclass(frozen=True, slots=True)
class LocalSupport:
    """The same of an adapter that works on this machine, in one long call."""

    title: str
    kind: str
    is_ai: bool
    previews: bool = False
    """Small pictures of the work so far."""
    streams: bool = False
    """Text, while it is written."""
    needs: str = ""
    """The extra."""
