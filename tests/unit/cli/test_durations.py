"""Spans of time as operators write them."""

from __future__ import annotations

import pytest
import typer

from safelight.cli.durations import read_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30d", 2_592_000), ("12h", 43_200), ("1.5h", 5_400), ("90m", 5_400), (" 45S ", 45), ("0d", 0)],
)
def test_a_span_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert read_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "30 days", "1d12h", "1e9d", "99999d", "nan"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="Write 30d"):
        read_duration(text)
