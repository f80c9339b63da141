"""Times as people read them."""

from __future__ import annotations

import pytest

from safelight.cli import when

NOON = when.read("2026-01-02T12:00:00.000Z")


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-01-02T12:00:03.000Z", "just now"),
        ("2026-01-02T11:59:56.000Z", "just now"),
        ("2026-01-02T11:59:20.000Z", "40 s ago"),
        ("2026-01-02T11:57:00.000Z", "3 min ago"),
        ("2026-01-02T09:30:00.000Z", "2 h ago"),
        ("2026-01-01T11:00:00.000Z", "1 day ago"),
        ("2025-12-02T11:00:00.000Z", "31 days ago"),
        ("2026-01-02T12:10:00.000Z", "in 10 min"),
    ],
)
def test_a_time_is_told_by_its_distance(at: str, said: str) -> None:
    assert when.ago(at, NOON) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-0.2, "0.00 s"), (0.418, "0.42 s"), (12.34, "12.3 s"), (125, "2 min 5 s"), (3840, "1 h 4 min")],
)
def test_a_span_has_the_digits_that_matter(seconds: float, said: str) -> None:
    assert when.span(seconds) == said
