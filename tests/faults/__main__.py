"""`python -m tests.faults`: break one thing after another in running systems, and see whether the diagnosis says it.

--short              a few of them, for CI
--only WORD          those whose name has this in it
--ward NAME          those of one module
--database KIND      sqlite or postgres
--list               names only
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Final

from safelight.testing.databases import postgres_server
from safelight.testing.throwaway import NoServer
from tests.faults.fault import BOTH, FAULTS, HEALTHY
from tests.faults.play import Outcome, play, play_healthy
from tests.faults.scorecard import scorecard

WARDS: Final = ("machinery", "settings", "storehouse", "books", "told", "sold", "remote", "waiting", "ended", "healthy")
SIDE_BY_SIDE = 3
SHORT_LIMIT_S = 60.0
SHORT_EVERY = 6
"""A short campaign plays every so many-th."""
Play = Callable[[Path, "str | None"], Outcome]

_printing = threading.Lock()


def main() -> int:
    arguments = _arguments()
    for ward in [arguments.ward] if arguments.ward else WARDS:
        import_module(f"tests.faults.{ward}")
    plans = _plans(arguments)
    if arguments.list:
        print("\n".join(f"{kind:9}{name}" for name, kind, _, _ in plans))
        return 0
    with tempfile.TemporaryDirectory(prefix="safelight-faults-") as folder, _postgres(arguments.database) as url:
        outcomes = _all(plans, Path(folder), url, arguments.short)
    played = [each for each in outcomes if each.skipped is None]
    print(f"\n{scorecard([each for each in played if each.code], [each for each in played if not each.code])}")
    return 0 if all(each.fine for each in played) else 1


Plan = tuple[str, str, bool, Play]


def _plans(arguments: argparse.Namespace) -> list[Plan]:
    """Name, database, whether it is a healthy one, and how it is played."""
    kinds = [arguments.database] if arguments.database else BOTH
    found: list[Plan] = []
    for n, fault in enumerate(FAULTS):
        for k, kind in enumerate(kinds):
            if kind in fault.databases and not (arguments.short and len(kinds) > 1 and n % 2 != k):
                found.append((fault.name, kind, False, _bound(play, fault)))
    for n, odd in enumerate(HEALTHY):
        for k, kind in enumerate(kinds):
            if not (arguments.short and len(kinds) > 1 and n % 2 != k):
                found.append((f"healthy: {odd.name}", kind, True, _bound(play_healthy, odd)))
    wanted = [plan for plan in found if arguments.only is None or arguments.only in plan[0]]
    return wanted[::SHORT_EVERY] if arguments.short else wanted


def _bound(how: Callable[..., Outcome], what: object) -> Play:
    return lambda folder, url: how(what, folder, url)


def _all(plans: list[Plan], folder: Path, url: str | None, short: bool) -> list[Outcome]:
    waiting = deque(enumerate(plans))
    stop_at = time.monotonic() + (SHORT_LIMIT_S if short else 10**6)

    def lane() -> list[Outcome]:
        outcomes = []
        while waiting and time.monotonic() < stop_at:
            try:
                n, (_, kind, _, how) = waiting.popleft()
            except IndexError:
                break
            if kind == "postgres" and url is None:
                continue
            outcomes.append(how(folder / f"{n:03}", url if kind == "postgres" else None))
            _tell(outcomes[-1])
        return outcomes

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return [outcome for played in pool.map(lambda _: lane(), range(SIDE_BY_SIDE)) for outcome in played]


def _tell(outcome: Outcome) -> None:
    with _printing:
        if outcome.skipped is not None:
            print(f"--- [{outcome.kind}] {outcome.name}, not played here: {outcome.skipped}", flush=True)
            return
        print(f"{'ok ' if outcome.fine else 'BAD'} [{outcome.kind}] {outcome.name}, {outcome.took_s:.0f} s", flush=True)
        for complaint in outcome.complaints:
            print("    " + complaint.replace("\n", "\n    "), flush=True)


@contextmanager
def _postgres(kind: str | None) -> Iterator[str | None]:
    if kind == "sqlite":
        yield None
        return
    try:
        with postgres_server() as url:
            yield url
    except NoServer as error:
        print(f"Nothing on Postgres: {error}", flush=True)
        yield None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--short", action="store_true", help="a few of them, within a minute")
    parser.add_argument("--only", metavar="WORD", help="those whose name has this in it")
    parser.add_argument("--ward", choices=WARDS, help="those of one module")
    parser.add_argument("--database", choices=BOTH, help="one kind of database")
    parser.add_argument("--list", action="store_true", help="their names only")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
