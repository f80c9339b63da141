"""`python -m benchmarks [--short] [--only PART ...] [--write]`: measure, show the table, exit 1 if a goal is missed."""

from __future__ import annotations

import argparse
import sys
import time

from benchmarks import backup, beats, fanout, flight, gates, growth, life, looks, main_job, polls
from benchmarks.figures import Figure, show
from benchmarks.report import write
from safelight.telemetry.logs import configure_logging

PARTS = {
    "main": main_job.measure,
    "life": life.measure,
    "flight": flight.measure,
    "polls": polls.measure,
    "growth": growth.measure,
    "gates": gates.measure,
    "beats": beats.measure,
    "looks": looks.measure,
    "fanout": fanout.measure,
    "backup": backup.measure,
}
"""Each takes whether the short form is wanted, and gives its figures."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--short", action="store_true", help="a tenth of the amounts, for CI; only losses are judged, not times"
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    arguments = parser.parse_args()
    configure_logging("console", "error")
    parts = {name: _measured(name, short=arguments.short) for name in arguments.only}
    figures = [figure for part in parts.values() for figure in part]
    show(figures)
    if arguments.write:
        write(parts)
    judged = [figure for figure in figures if figure.is_loss or not arguments.short]
    return 0 if all(figure.met for figure in judged) else 1


def _measured(name: str, *, short: bool) -> list[Figure]:
    """One part; says when it is over: the whole takes minutes, the long form an hour."""
    began = time.monotonic()
    figures = PARTS[name](short)
    print(f"{name}: measured in {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return figures


if __name__ == "__main__":
    sys.exit(main())
