"""One run of a scenario: what was asked for, what was done, and when processes were lost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from tests.crash.campaign.house import DEADLINE_S, House
from tests.support.server import Running

END_WITHIN_S = DEADLINE_S + 15.0


class CannotBePlayed(Exception):
    """This machine does not allow what the scenario needs; says what that is."""


@dataclass(slots=True)
class Played:
    """What a scenario reports. `losses` are the moments at which a process was lost, by the wall clock."""

    ids: list[str] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    outage_s: float = 0.0
    all_complete: bool = False
    """Whether nothing that happened excuses a job that did not complete."""
    may_expire: int = 0
    """How many jobs may run into their deadline: all others have to be taken up, or ended, long before."""
    reached: list[str] = field(default_factory=list)
    """Crash points that acted."""
    complaints: list[str] = field(default_factory=list)


def prompts(dice: Random, count: int, *, kinds: Sequence[str] = ("now", "later")) -> list[str]:
    """What to ask for; every prompt is another."""
    return [_prompt(dice, dice.choice(kinds), n) for n in range(count)]


def mixed(dice: Random, count: int) -> list[str]:
    """Mostly a provider that works, with some of every way in which it may not."""
    troubles = ("cut_after", "cut_midway", "cut_before", "broken", "garbage", "error", "limited", "loading")
    kinds = ["now", "later"] * (count // 2) + [dice.choice(troubles) for _ in range(max(1, count // 4))]
    return [_prompt(dice, kind, n) for n, kind in enumerate(kinds[-count:])]


def _prompt(dice: Random, kind: str, n: int) -> str:
    spans = {"now": dice.uniform(0, 0.6), "later": dice.uniform(0, 2.5), "slow": 6.0, "fails": 2.0, "loading": 1.0}
    seconds = spans.get(kind, 0.0)
    kind = {"slow": "later", "fails": "broken"}.get(kind, kind)
    words = f"lighthouse {dice.getrandbits(32):08x}-{n} answer={kind} seconds={seconds:.2f}"
    if kind in ("now", "later"):
        words += dice.choice(["", " links=1"])
    return f"{words} retry_after=1" if kind == "limited" else words


def acted(worker: Running, played: Played, within_s: float) -> bool:
    """Wait for its crash point, from when it is ready; note it."""
    worker.says("worker.started", "server.ready", "crash_point")
    found = worker.says("crash_point", within_s=within_s)
    said = [line["point"] for line in worker.said("crash_point")]
    played.reached += [point for point in said if point not in played.reached]
    return found


def lose(worker: Running, played: Played) -> None:
    """Kill it, if it is not dead already; note when."""
    if worker.running:
        worker.kill()
    said = worker.said("crash_point")
    played.losses.append(said[0]["at"] if said and said[0]["action"] == "kill" else time.time())


def finish(house: House, played: Played, *workers: Running, within_s: float = END_WITHIN_S) -> Played:
    """Wait until every job has ended, then end the workers. What has not ended is for the verdict."""
    played.outage_s += house.unserved_s
    house.until_ended(played.ids, within_s + played.outage_s, awake=workers)
    house.close_workers(*workers)
    return played
