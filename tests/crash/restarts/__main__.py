"""`python -m tests.crash.restarts`: restart servers, cut connections, and see what every client was told.

--short                    some of it in less than a minute: for CI
--jobs N --restarts N      as many, shared by the kinds of database
--database KIND            one kind
--seed N                   where the dice begin
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from safelight.testing.databases import fresh_database, postgres_server
from safelight.testing.throwaway import NoServer
from tests.crash.restarts.play import Played, play

DATABASES = ("sqlite", "postgres")
JOBS, RESTARTS = 200, 100
SHORT_JOBS, SHORT_RESTARTS = 20, 6
SHOWN = 20
TITLE = f"{'clients':<10}{'stories':>9}{'events':>9}{'came back':>11}{'wrong':>7}"


def main() -> int:
    arguments = _arguments()
    kinds = [arguments.database] if arguments.database else DATABASES
    jobs = arguments.jobs or (SHORT_JOBS if arguments.short else JOBS)
    restarts = arguments.restarts or (SHORT_RESTARTS if arguments.short else RESTARTS)
    seed = Random().randrange(10**6) if arguments.seed is None else arguments.seed  # noqa: S311 - dice
    wrong = 0
    for kind in kinds:
        try:
            with tempfile.TemporaryDirectory(prefix="safelight-restarts-") as folder, _database(kind) as settings:
                share = (jobs // len(kinds), restarts // len(kinds))
                played = asyncio.run(play(kind, Path(folder), *share, seed, **settings))
        except NoServer as error:
            print(f"Not played on {kind}: {error}")
            continue
        print(_scorecard(played), flush=True)
        wrong += len(played.complaints)
    print(
        f"Seed {seed}. {'Somebody was told something wrong.' if wrong else 'Everybody was told exactly what happened.'}"
    )
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.restarts")
    parser.add_argument("--short", action="store_true", help="some of it, in less than a minute")
    parser.add_argument("--jobs", type=int, help=f"how many ({JOBS})")
    parser.add_argument("--restarts", type=int, help=f"how many ({RESTARTS})")
    parser.add_argument("--database", choices=DATABASES, help="one kind of database")
    parser.add_argument("--seed", type=int, help="where the dice begin")
    return parser.parse_args()


@contextmanager
def _database(kind: str) -> Iterator[dict[str, object]]:
    """The setting that names the database; none for SQLite's default. Raises `NoServer`."""
    if kind == "sqlite":
        yield {}
        return
    with postgres_server() as server, fresh_database(server) as url:
        yield {"database_url": url}


def _scorecard(played: Played) -> str:
    rows = [
        f"{name:<10}{line.stories:>9}{line.events:>9}{line.returns:>11}{line.wrong:>7}"
        for name, line in played.lines.items()
    ]
    done = f"{played.jobs} jobs, {played.restarts} restarts, {played.cuts} cut connections, {played.took_s:.0f} s"
    complaints = played.complaints[:SHOWN]
    if len(played.complaints) > SHOWN:
        complaints.append(f"and {len(played.complaints) - SHOWN} more")
    return "\n".join([f"{played.kind}: {done}", TITLE, "-" * len(TITLE), *rows, *complaints, ""])


if __name__ == "__main__":
    raise SystemExit(main())
