"""When to come again, as providers say it."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from safelight.providers.answers import LONGEST_WAIT_S, retry_after_s
from safelight.providers.huggingface.reading import read_refusal as of_huggingface
from safelight.providers.keys import fingerprint
from safelight.providers.refusals import Refusal, refused
from safelight.providers.replicate.reading import read_refusal as of_replicate
from safelight.providers.streaming import failed

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


@pytest.mark.parametrize("seconds", ["999999999", "9" * 400])
def test_a_wait_that_is_told_in_words_is_believed_no_longer_than_one_in_a_header(seconds: str) -> None:
    answer = httpx.Response(429, json={"detail": f"Your rate limit resets in ~{seconds}s."})
    assert refused(answer, of_replicate(answer), None).error.retry_after_s == LONGEST_WAIT_S
    told = Refusal("busy", retry_after_s=float(seconds))
    assert failed(told, "key", None).error.retry_after_s == LONGEST_WAIT_S


def test_a_time_to_load_that_is_no_time_is_left_out() -> None:
    answer = httpx.Response(503, content=b'{"error": "Model is loading", "estimated_time": ' + b"9" * 400 + b"}")
    assert refused(answer, of_huggingface(answer), None).error.retry_after_s is None
