"""Nothing that looks like a credential leaves; everything else stays readable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.telemetry.redact import is_secret_name, redact


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Authorization: Bearer abcdef123456", "Authorization: Bearer ***"),
        ("authorization: basic dXNlcjpwYXNz", "authorization: basic ***"),
        ("key sk-proj-AbC_123-xyz failed", "key sk-*** failed"),
        ("hf_abcdefghijk", "hf_***"),
        ("token r8_0123456789", "token ***"),
        ("postgresql://ann:hush@db:5432/safelight", "postgresql://ann:***@db:5432/safelight"),
        ("redis://:hush@cache/0", "redis://:***@cache/0"),
        ("postgresql://ann:hu@sh@db/x", "postgresql://ann:***@db/x"),
        ("GET /api/assets/1?exp=17&sig=AbC-_123 200", "GET /api/assets/1?exp=17&sig=*** 200"),
        ("https://s3/x?X-Amz-Signature=abc&X-Amz-Expires=60", "https://s3/x?X-Amz-Signature=***&X-Amz-Expires=60"),
        ("wss://here/socket?ticket=abc&vsn=2", "wss://here/socket?ticket=***&vsn=2"),
        ('{"key": "abc", "prompt": "a cat"}', '{"key": "***", "prompt": "a cat"}'),
        ("{'api_key': 'abc'}", "{'api_key': '***'}"),
        ("host=db password=hush dbname=x", "host=db password=*** dbname=x"),
        ("eyJhbGciOi.eyJzdWIiOjF9.c2ln", "***"),
    ],
)
def test_credentials_are_masked_and_their_surroundings_kept(text: str, clean: str) -> None:
    assert redact(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "a fox in a basket of cookies, keyhole view, secret garden, token of love",
        "max_tokens=200 is too many",
        "https://example.org:8000/path?width=512&seed=7",
        "2 bearers carried a palanquin",
        "risk-averse",
        "",
    ],
)
def test_ordinary_texts_stay_as_they_are(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "name",
    [
        *("authorization", "Authorization", "api_key", "apiKey", "x-api-key", "access_token", "authToken"),
        *("Set-Cookie", "client_secret", "db_password", "secret", "signing_key", "credentials"),
    ],
)
def test_names_of_credentials_are_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["max_tokens", "tokens", "key", "idempotency_key", "monkey", "prompt", "secretary", ""]
)
def test_names_of_other_things_are_not_taken_for_credentials(name: str) -> None:
    assert not is_secret_name(name)


@given(st.text(max_size=200))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@given(st.text(st.sampled_from("ab:/@.?&=sigkeytoken BearersyJ-_\"'"), max_size=300))
def test_redacting_twice_changes_nothing_more_on_what_almost_looks_like_secrets(text: str) -> None:
    assert redact(redact(text)) == redact(text)
