"""A key that a provider repeats is masked, wherever it was repeated."""

from __future__ import annotations

import json

import pytest

from safelight.domain.outcomes import Done, ErrorClass, ProviderError, Rejected
from safelight.domain.secrets import keep_secret, without_secrets
from safelight.domain.text import presentable
from safelight.providers.replicate.provider import ReplicateProvider
from safelight.providers.replicate.reading import read_prediction
from safelight.services.job_error import error_json
from safelight.telemetry.redact import redact
from safelight.worker.live_call import NoAnswer

KEY = "plainkey-4417-told-by-nobody"


@pytest.fixture(autouse=True)
def _kept() -> None:
    ReplicateProvider(KEY)


def test_every_field_of_an_error_loses_it() -> None:
    error = ProviderError(ErrorClass.INVALID_REQUEST, f"no {KEY}!", f"code-{KEY}", request_id=f"req-{KEY}")
    assert (error.message, error.provider_code, error.request_id) == ("no ***!", "code-***", "req-***")


def test_a_prediction_that_failed_with_it_does_not_show_it() -> None:
    state = read_prediction({"id": "p1", "status": "failed", "error": f"bad token {KEY} in request"})
    assert isinstance(state, Rejected)
    assert state.error.message == "bad token *** in request"


def test_what_was_raised_is_kept_without_it() -> None:
    assert NoAnswer(f"HTTPStatusError: for {KEY}").why == "HTTPStatusError: for ***"


def test_a_job_error_and_what_is_delivered_do_not_have_it() -> None:
    assert KEY not in json.loads(error_json("internal", f"the file at /{KEY}/a.png is gone"))["message"]
    done = Done(text=f"your key is {KEY}", request_id=KEY)
    assert (done.text, done.request_id) == ("your key is ***", "***")


def test_a_cut_leaves_no_half_of_it() -> None:
    assert KEY[:8] not in presentable("x" * 1990 + KEY)


def test_logs_lose_it_though_it_looks_like_no_key() -> None:
    assert redact(f"it said {KEY}") == "it said ***"


def test_of_two_keys_the_longer_is_masked_whole() -> None:
    keep_secret(f"{KEY}-and-more")
    assert without_secrets(f"{KEY}-and-more") == "***"


def test_what_is_too_short_for_a_key_takes_no_words_along() -> None:
    keep_secret("the")
    keep_secret(None)
    assert without_secrets("the lighthouse") == "the lighthouse"
