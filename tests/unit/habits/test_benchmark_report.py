"""`make bench WRITE=1` puts each part's table in its place and touches nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.__main__ import PARTS
from benchmarks.figures import Figure
from benchmarks.report import REPORT, write

FIGURES = [Figure("lives", 3210.4, "/s", at_least=3000), Figure("  lost", 0, "jobs", 0), Figure("p50", 1.25, "ms")]


def test_each_part_that_can_be_measured_has_its_place_in_the_report(tmp_path: Path) -> None:
    copy = tmp_path / "performance.md"
    copy.write_text(REPORT.read_text(encoding="utf-8"), encoding="utf-8")
    write(dict.fromkeys(PARTS, FIGURES), copy)
    assert copy.read_text(encoding="utf-8").count("| lives | 3,210 /s | ≥ 3,000 /s |") == len(PARTS)


def test_what_was_not_measured_stays(tmp_path: Path) -> None:
    report = tmp_path / "performance.md"
    report.write_text(
        "a\n<!-- life:begin -->\nold\n<!-- life:end -->\nb\n<!-- beats:begin -->\nx\n<!-- beats:end -->\n"
    )
    write({"life": FIGURES}, report)
    table = "| what | measured | goal |\n|---|---|---|\n| lives | 3,210 /s | ≥ 3,000 /s |\n"
    table += "| &nbsp;&nbsp;lost | 0 jobs | ≤ 0 jobs |\n| p50 | 1.25 ms |  |\n"
    after = "b\n<!-- beats:begin -->\nx\n<!-- beats:end -->\n"
    assert report.read_text(encoding="utf-8") == f"a\n<!-- life:begin -->\n{table}<!-- life:end -->\n{after}"


def test_a_part_without_a_place_is_an_error_that_names_it(tmp_path: Path) -> None:
    report = tmp_path / "performance.md"
    report.write_text("nothing here\n")
    with pytest.raises(ValueError, match="'life'"):
        write({"life": FIGURES}, report)
