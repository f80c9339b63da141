"""A rate as it is written, and what is left of an allowance."""

from __future__ import annotations

import pytest

from safelight.domain.rates import Allowance, RateLimit, allowance, read_rate


@pytest.mark.parametrize(
    ("text", "rate"),
    [("60/minute", RateLimit(60, 60)), (" 5/Second ", RateLimit(5, 1)), ("1/day", RateLimit(1, 86_400))],
)
def test_a_rate_is_a_number_and_a_time(text: str, rate: RateLimit) -> None:
    assert read_rate(text) == rate


@pytest.mark.parametrize("text", ["", "60", "0/minute", "-1/minute", "1.5/minute", "60/fortnight", "60/minute/hour"])
def test_anything_else_is_no_rate(text: str) -> None:
    with pytest.raises(ValueError, match="no rate"):
        read_rate(text)


def test_an_allowance_comes_back_steadily() -> None:
    rate = RateLimit(6, 60)
    assert allowance(rate, 0, 100) == Allowance(6, 0)
    assert allowance(rate, 160, 100) == Allowance(0, 60)
    assert allowance(rate, 160, 110) == Allowance(1, 50)
    assert allowance(rate, 160, 109.9).left == 0
