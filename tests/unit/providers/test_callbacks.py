"""Who is given an address to announce calls at, and whose announcements are taken."""

from __future__ import annotations

import pytest

from safelight.providers.callbacks import callback_url, can_be_reached, is_genuine, signature

CALL = "0192f0c1-2345-7abc-8def-0123456789ab"


@pytest.mark.parametrize(
    "base",
    ["https://safelight.studio", "https://ai.example.org/safelight", "https://93.184.216.34", "https://a.b:8443"],
)
def test_a_provider_is_given_https_addresses_that_the_world_can_reach(base: str) -> None:
    assert can_be_reached(base)


@pytest.mark.parametrize(
    "base",
    [
        None,
        "http://safelight.studio",
        "https://localhost",
        "https://127.0.0.1:8000",
        "https://10.0.0.7",
        "https://[::1]",
        "https://[fe80::1]",
        "https://studio",
        "https://studio.local",
        "https://safelight.internal",
    ],
)
def test_a_provider_is_given_none_that_it_could_not_reach_or_that_anybody_could_read(base: str | None) -> None:
    assert not can_be_reached(base)


def test_what_the_operator_allows_is_given_even_if_it_is_private() -> None:
    assert can_be_reached("http://127.0.0.1:8000", ("127.0.0.1:8000",))
    assert can_be_reached("http://[::1]:8000", ("[::1]:8000",))
    assert not can_be_reached("http://127.0.0.1:8001", ("127.0.0.1:8000",))


def test_a_signature_is_good_for_its_own_call_at_its_own_provider_under_its_own_secret() -> None:
    sig = signature(b"secret", "replicate", CALL)
    assert callback_url(b"secret", "https://s.io/", "replicate", CALL) == (
        f"https://s.io/api/callbacks/replicate/{CALL}?sig={sig}"
    )
    assert is_genuine(b"secret", "replicate", CALL, sig)
    assert not is_genuine(b"another", "replicate", CALL, sig)
    assert not is_genuine(b"secret", "modelslab", CALL, sig)
    assert not is_genuine(b"secret", "replicate", CALL.replace("a", "b"), sig)
    for wrong in ("", sig[:-1], sig + "A", "ü\ud800"):
        assert not is_genuine(b"secret", "replicate", CALL, wrong)
