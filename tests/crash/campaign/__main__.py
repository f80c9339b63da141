"""`python -m tests.crash.campaign`: break Safelight in every way there is, and count what broke with it.

--short                    every scenario once, on one kind of database or the other: for CI
--runs N --minutes M       as many, or for as long
--seed N                   where the dice begin; printed, so that every run can be made again
--only SCENARIO --database KIND --seed N    that one run, or with --runs that many with seeds in a row
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

from safelight.testing.databases import throwaway_postgres
from safelight.testing.throwaway import NoServer
from tests.crash.campaign.lane import Lane, Run
from tests.crash.campaign.matrix import EVERYWHERE
from tests.crash.campaign.plan import Plan, plan, short_plan
from tests.crash.campaign.played import CannotBePlayed
from tests.crash.campaign.scenarios import SCENARIOS
from tests.crash.campaign.scorecard import Line, scorecard

DATABASES = ("sqlite", "postgres")
FULL_RUNS, SHORT_LIMIT_S = 300, 105.0
OUTAGE_S, SHORT_OUTAGE_S = 30.0, 5.0
_printing = threading.Lock()


def main() -> int:
    arguments = _arguments()
    seed = arguments.seed if arguments.seed is not None else Random().randrange(10**6)  # noqa: S311 - dice
    stop_at = time.monotonic() + (SHORT_LIMIT_S if arguments.short else arguments.minutes * 60)
    plans = _plans(arguments, seed)
    with tempfile.TemporaryDirectory(prefix="safelight-crash-") as folder, ExitStack() as servers:
        lanes = _lanes(arguments, plans, Path(folder), servers)
        with ThreadPoolExecutor(max(1, len(lanes))) as pool:
            playing = [pool.submit(_play, lane, plans[lane.kind], stop_at) for lane in lanes]
            try:
                wait(playing)
            except KeyboardInterrupt:
                _say("The runs that are being played end; no more begin.")
                for left in plans.values():
                    left.clear()
            runs = [run for each in playing for run in each.result()]
    return _report(runs, plans, seed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.campaign")
    parser.add_argument("--short", action="store_true", help="every scenario once, in two minutes")
    parser.add_argument(
        "--runs", type=int, help=f"how many, over all databases ({FULL_RUNS}); with --only, with seeds in a row (1)"
    )
    parser.add_argument("--minutes", type=float, default=10**6, help="begin no more runs after so long")
    parser.add_argument("--seed", type=int, help="where the dice begin; with --only, of that run")
    parser.add_argument("--only", choices=list(SCENARIOS), help="one scenario")
    parser.add_argument("--database", choices=DATABASES, help="one kind of database")
    return parser.parse_args()


def _plans(arguments: argparse.Namespace, seed: int) -> dict[str, Plan]:
    kinds = [arguments.database] if arguments.database else DATABASES
    if arguments.only:
        seeds = range(seed, seed + (arguments.runs or 1))
        return {kind: deque((arguments.only, one) for one in seeds) for kind in kinds}
    if arguments.short:
        return {kind: short_plan(kind, seed) for kind in kinds}
    return {kind: plan(kind, seed, (arguments.runs or FULL_RUNS) // len(kinds)) for kind in kinds}


def _lanes(arguments: argparse.Namespace, plans: dict[str, Plan], folder: Path, servers: ExitStack) -> list[Lane]:
    """Where runs are played, one for each kind of database that can be had. They play side by side."""
    outage_s = SHORT_OUTAGE_S if arguments.short else OUTAGE_S
    lanes = []
    for kind in plans:
        try:
            postgres = servers.enter_context(throwaway_postgres()) if kind == "postgres" else None
        except NoServer as error:
            _say(f"No runs on Postgres: {error}")
            continue
        lanes.append(servers.enter_context(_closing(Lane(folder, postgres, outage_s))))
    return lanes


def _play(lane: Lane, runs: Plan, stop_at: float) -> list[Run]:
    """Take runs until there are no more, or the time is over."""
    played: list[Run] = []
    while runs and time.monotonic() < stop_at:
        scenario, seed = runs.popleft()
        began = time.monotonic()
        try:
            run = lane.play(scenario, seed)
        except CannotBePlayed as reason:
            _say(f"Not played: {scenario!r} on {lane.kind}: {reason}")
            continue
        played.append(run)
        _tell(lane, run, time.monotonic() - began)
    return played


def _tell(lane: Lane, run: Run, took_s: float) -> None:
    verdict = run.verdict
    ended = ", ".join(f"{n} {ending}" for ending, n in sorted(verdict.endings.items()))
    fine = "ok " if verdict.clean else "BAD"
    _say(f"{fine} [{lane.kind}] {run.scenario}, seed {run.seed}, {took_s:.0f} s: {ended} {' '.join(run.reached)}")
    for complaint in verdict.complaints:
        _say(f"    {complaint}")
    if not verdict.clean:
        again = f"--only {run.scenario!r} --database {lane.kind} --seed {run.seed}"
        _say(f"    once more: python -m tests.crash.campaign {again}")


def _report(runs: list[Run], plans: dict[str, Plan], seed: int) -> int:
    lines: dict[str, Line] = {}
    for run in runs:
        lines.setdefault(run.scenario, Line()).add(run.verdict)
    met = {point for run in runs for point in run.reached}
    broken = sum(line.broken for line in lines.values())
    for kind, left in plans.items():
        if left:
            print(f"Not played on {kind}: {len(left)} runs of {', '.join(sorted({name for name, _ in left}))}")
    print(f"\n{scorecard(lines, SCENARIOS)}")
    kinds = " and ".join(plans)
    print(f"\nOn {kinds}, seed {seed}; {len(met)} of {len(EVERYWHERE)} crash points met.")
    if missed := sorted(EVERYWHERE - met) if len(met) > len(EVERYWHERE) / 2 else []:
        print(f"Not met: {', '.join(missed)}.")
    print(f"{broken} of {len(runs)} runs broke a promise." if broken else f"All {len(runs)} runs kept every promise.")
    return 1 if broken else 0


@contextmanager
def _closing(lane: Lane) -> Iterator[Lane]:
    try:
        yield lane
    finally:
        lane.close()


def _say(text: str) -> None:
    with _printing:
        print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
