"""The runs on one kind of database, one after the other. A house serves many runs, until one breaks a promise."""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from safelight.testing.databases import ThrowawayPostgres
from tests.crash.campaign.dice import Dice
from tests.crash.campaign.house import House, house
from tests.crash.campaign.played import CannotBePlayed, Played
from tests.crash.campaign.recovery import recoveries_s
from tests.crash.campaign.scenarios import SCENARIOS
from tests.crash.campaign.verdict import Verdict, judge

DEFAULT_TIMES: dict[str, object] = {
    "lease_seconds": 30,
    "sweep_seconds": 5,
    "deadline_image_seconds": 600,
    "max_wait_seconds": 1800,
}
SETTINGS: dict[str, dict[str, object]] = {
    "provider silent": {"deadline_image_seconds": 10},
    "idempotent provider": {"idempotent": True},
    "4 workers, 2,000 jobs": {"idempotent": True, "max_wait_seconds": 1800, "deadline_image_seconds": 600},
    "lost, same host": DEFAULT_TIMES,
    "lost, another host": DEFAULT_TIMES,
    "unknown: retry once": {"unknown_calls": "retry_once"},
    "all clocks jump": {"clock": True, "deadline_image_seconds": 60},
}
"""Scenarios that need a house of their own, and how it differs."""
RUNS_PER_HOUSE = 25
"""A database that grows for ever would be another test."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run was; the seed makes it again."""

    scenario: str
    seed: int
    verdict: Verdict
    reached: list[str] = field(default_factory=list)


class Lane:
    """`play` one run after the other; `close` when done."""

    def __init__(self, folder: Path, postgres: ThrowawayPostgres | None, outage_s: float) -> None:
        self.kind = "sqlite" if postgres is None else "postgres"
        self._folder, self._postgres, self._outage_s = folder, postgres, outage_s
        self._standing = ExitStack()
        self._house: House | None = None
        self._runs = 0

    def play(self, scenario: str, seed: int) -> Run:
        """One run and its verdict. Whatever goes wrong with the run itself is a complaint. Raises CannotBePlayed."""
        with self._housed(scenario) as found:
            return self._played(found, scenario, seed)

    def close(self) -> None:
        self._standing.close()
        self._house = None

    def _played(self, found: House, scenario: str, seed: int) -> Run:
        played, found.unserved_s, found.billed_before = Played(), 0.0, len(found.provider.billed())
        try:
            found.change("DELETE FROM gates")  # what the provider did in the run before is no news in this one
            played = SCENARIOS[scenario](found, Dice(seed))
            verdict = judge(found, played.ids, outage_s=played.outage_s)
            verdict.recoveries_s = recoveries_s(found, played)
        except CannotBePlayed:
            raise
        except Exception:  # the edge of the campaign's loop: the other runs go on
            verdict = Verdict(complaints=[traceback.format_exc()])
        verdict.complaints += played.complaints
        if played.all_complete and verdict.completed < verdict.jobs:
            verdict.complaints.append(f"nothing excuses these endings: {dict(verdict.endings)}")
        if (expired := verdict.endings["failed deadline_exceeded"]) > played.may_expire:
            verdict.complaints.append(f"{expired} jobs ran into their deadline, of {played.may_expire} that may")
        if not verdict.clean:
            verdict.complaints += found.last_words()
            self.close()
        return Run(scenario, seed, verdict, played.reached)

    @contextmanager
    def _housed(self, scenario: str) -> Iterator[House]:
        if scenario in SETTINGS:
            with house(self._new_folder(), self._postgres, **SETTINGS[scenario]) as found:  # type: ignore[arg-type]
                yield found
            return
        if self._house is None or self._runs >= RUNS_PER_HOUSE:
            self.close()
            self._runs = 0
            self._house = self._standing.enter_context(house(self._new_folder(), self._postgres))
            self._house.outage_s = self._outage_s
        self._runs += 1
        yield self._house

    def _new_folder(self) -> Path:
        return Path(tempfile.mkdtemp(prefix=f"{self.kind}-", dir=self._folder))
