"""`python -m benchmarks [--short]`: measure, print the table, exit 1 if a goal was missed."""

from __future__ import annotations

import argparse
import sys

from benchmarks.figures import show
from benchmarks.main_job import FULL, SHORT, measure


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--short", action="store_true", help="a tenth of the amounts, for CI; only losses are judged, not times"
    )
    arguments = parser.parse_args()
    figures = measure(SHORT if arguments.short else FULL)
    show(figures)
    judged = [figure for figure in figures if figure.goal == 0 or not arguments.short]
    return 0 if all(figure.met for figure in judged) else 1


if __name__ == "__main__":
    sys.exit(main())
