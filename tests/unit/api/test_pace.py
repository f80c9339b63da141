"""How often somebody may fail."""

from __future__ import annotations

import pytest

from safelight.api.pace import Pace
from safelight.domain.errors import RateLimited


def test_who_failed_too_often_waits_until_the_oldest_failure_is_forgotten() -> None:
    now = 100.0
    pace = Pace(2, per_s=60.0, now=lambda: now)
    pace.count("a")
    now = 110.0
    pace.refuse_if_over("a", "tries")
    pace.count("a")
    with pytest.raises(RateLimited, match="2 tries") as refused:
        pace.refuse_if_over("a", "tries")
    assert refused.value.evidence == {"retry_after_s": 50}
    pace.refuse_if_over("b", "tries")
    now = 160.0
    pace.refuse_if_over("a", "tries")
    pace.count("a")
    with pytest.raises(RateLimited):
        pace.refuse_if_over("a", "tries")
