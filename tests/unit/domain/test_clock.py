"""Times as people read them, and the local clock."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.domain.clock import as_rfc3339, local_s


@pytest.mark.parametrize(
    ("at_s", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000, "2023-11-14T22:13:20.000Z"),
        (1_700_000_000.25, "2023-11-14T22:13:20.250Z"),
        (1_709_164_799.999, "2024-02-28T23:59:59.999Z"),
        (1_709_164_800.0005, "2024-02-29T00:00:00.000Z"),
    ],
)
def test_times_leave_in_one_form(at_s: float, text: str) -> None:
    assert as_rfc3339(at_s) == text


@given(st.floats(min_value=0, max_value=4_102_444_800))
def test_a_time_that_left_can_be_read_back_to_the_millisecond(at_s: float) -> None:
    text = as_rfc3339(at_s)
    assert len(text) == 24
    assert abs(datetime.fromisoformat(text).timestamp() - at_s) <= 0.001


def test_the_local_clock_never_goes_back() -> None:
    readings = [local_s() for _ in range(1000)]
    assert readings == sorted(readings)
