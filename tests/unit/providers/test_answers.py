"""When to come again, as providers say it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from safelight.providers.answers import LONGEST_WAIT_S, retry_after_s
from safelight.providers.keys import fingerprint

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "30", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "Thu, 26 Nov 2026 12:00:20 GMT"}, 20.0),
        ({"retry-after": "Thu, 26 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "1e9"}, LONGEST_WAIT_S),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
    ],
)
def test_the_time_to_wait_is_read_whatever_its_form(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, NOW) == seconds


def test_a_fingerprint_tells_keys_apart_and_shows_nothing_of_them() -> None:
    assert fingerprint("sk-test-1") != fingerprint("sk-test-2")
    assert "sk-test" not in fingerprint("sk-test-1")
    assert fingerprint(None) == fingerprint("") == ""
