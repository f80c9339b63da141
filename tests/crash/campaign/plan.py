"""Which runs a campaign consists of, and with which seeds: the dice decide, and the same seed decides the same."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from random import Random

from tests.crash.campaign.scenarios import LONG, ONLY_ON, SCENARIOS

OFTEN = {
    "killed at a point": 8,
    "API killed, retried": 5,
    "frozen for two leases": 4,
    "bug at a point": 4,
    "sweeper killed": 4,
    "killed twice": 3,
    "claim canceled": 2,
    "prune killed": 2,
}
"""Scenarios with many places to crash at come up more often than the others, which count once."""
Plan = deque[tuple[str, int]]
"""Scenario and seed of each run, to be taken from the left."""
SIDES = ("sqlite", "postgres")
"""Both take every other turn."""


def short_plan(database: str, seed: int) -> Plan:
    """Every scenario once, on one kind of database or the other in turn."""
    turns = {name: SIDES[(n + seed) % 2] for n, name in enumerate(SCENARIOS) if name not in LONG}
    names = [name for name, turn in turns.items() if ONLY_ON.get(name, turn) == database]
    return _in_turns(names, database, seed)


def plan(database: str, seed: int, runs: int) -> Plan:
    """Every scenario of that kind of database once, then as many more as make it `runs`."""
    dice = Random(seed)  # noqa: S311 - dice
    possible = [name for name in SCENARIOS if ONLY_ON.get(name, database) == database]
    often = [name for name in possible if name not in LONG for _ in range(OFTEN.get(name, 1))]
    more = [dice.choice(often) for _ in range(runs - len(possible))]
    ordered = sorted([*possible, *more], key=lambda name: name in LONG)  # the long ones last
    return _in_turns(ordered, database, seed)


def _in_turns(names: Sequence[str], database: str, seed: int) -> Plan:
    """Seeds in a row for each scenario, from somewhere on: so its crash points take turns."""
    played = Counter[str]()
    runs: Plan = deque()
    for name in names:
        first = Random(f"{seed} {name}").randrange(10**6)  # noqa: S311 - dice
        runs.append((name, first + len(SIDES) * played[name] + SIDES.index(database)))
        played[name] += 1
    return runs
