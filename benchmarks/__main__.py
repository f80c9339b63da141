"""`python -m benchmarks [--short]`: measure, print the table, exit 1 if a goal was missed."""

from __future__ import annotations

import argparse
import sys

from benchmarks.figures import show
from benchmarks.main_job import FULL, SHORT, measure


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a tenth of the amounts, for CI; goals are not judged")
    arguments = parser.parse_args()
    met = show(measure(SHORT if arguments.short else FULL))
    return 0 if met or arguments.short else 1


if __name__ == "__main__":
    sys.exit(main())
