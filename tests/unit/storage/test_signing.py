"""A signed URL opens one asset until it expires, and nothing else."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.storage.signing import expiry, sign, signed_url, verify

SECRET = b"a secret of this installation"
PATH = "/api/assets/0199a1b2-0000-7000-8000-000000000001"
NOON = 1_795_608_000.0


def query_of(url: str) -> tuple[str, str]:
    query = parse_qs(urlsplit(url).query)
    return query["exp"][0], query["sig"][0]


def test_a_signed_url_opens_its_path_until_it_expires() -> None:
    expires_at = expiry(NOON)
    exp, sig = query_of(signed_url(SECRET, base="https://example.org/", path=PATH, expires_at=expires_at))
    assert verify(SECRET, PATH, exp=exp, sig=sig, now_s=NOON)
    assert verify(SECRET, PATH, exp=exp, sig=sig, now_s=expires_at - 0.001)
    assert not verify(SECRET, PATH, exp=exp, sig=sig, now_s=expires_at)


def test_the_signature_is_the_last_thing_in_the_url() -> None:
    url = signed_url(SECRET, base="http://127.0.0.1:8000", path=PATH, expires_at=7200)
    assert url == f"http://127.0.0.1:8000{PATH}?exp=7200&sig={sign(SECRET, PATH, 7200)}"
    assert len(sign(SECRET, PATH, 7200)) * 6 >= 128


def test_everyone_who_asks_within_an_hour_gets_the_same_url() -> None:
    assert expiry(NOON + 1) == expiry(NOON + 3599) == expiry(NOON + 3600)
    assert expiry(NOON + 3601) == expiry(NOON + 3600) + 3600


@given(st.floats(0, 4e9))
def test_a_url_lives_for_a_day_and_at_most_an_hour_more(now_s: float) -> None:
    assert 24 * 3600 <= expiry(now_s) - now_s <= 25 * 3600
    assert expiry(now_s) % 3600 == 0


@pytest.mark.parametrize(
    ("path", "exp", "sig"),
    [
        (PATH + "/thumbnail", "7200", sign(SECRET, PATH, 7200)),
        (PATH, "7201", sign(SECRET, PATH, 7200)),
        (PATH, "7200", sign(b"another", PATH, 7200)),
        (PATH, "7200", sign(SECRET, PATH, 7200)[:-1]),
        (PATH, "7200", sign(SECRET, PATH, 7200) + "="),
        (PATH, "7200", ""),
        (PATH, "7200", "ß\ud83d"),
        (PATH, "", sign(SECRET, PATH, 7200)),
        (PATH, "-7200", sign(SECRET, PATH, -7200)),
        (PATH, "\uff17\uff12\uff10\uff10", sign(SECRET, PATH, 7200)),
        (PATH, " 7200", sign(SECRET, PATH, 7200)),
        (PATH, "9" * 5000, "x"),
        (PATH, "1e9", "x"),
    ],
)
def test_anything_that_was_changed_opens_nothing(path: str, exp: str, sig: str) -> None:
    assert not verify(SECRET, path, exp=exp, sig=sig, now_s=0)


@given(st.text(st.characters(exclude_categories=[])), st.text(st.characters(exclude_categories=[])))
def test_no_query_makes_verification_fail_in_any_other_way(exp: str, sig: str) -> None:
    assert not verify(SECRET, PATH, exp=exp, sig=sig, now_s=0)
