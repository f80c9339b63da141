"""What a provider says in words: whatever it sends can be stored and shown."""

from __future__ import annotations

import pytest

from safelight.domain.outcomes import LONGEST_CODE, Done, ErrorClass, ProviderError
from safelight.domain.text import MOST_CHARS, presentable


@pytest.mark.parametrize("unfit", ["\x00", "\ud800", "\x1b", "\x7f", "\x9b"])
def test_characters_that_cannot_be_stored_or_shown_are_marked_in_an_errors_words(unfit: str) -> None:
    error = ProviderError(ErrorClass.PROTOCOL, f"it{unfit}broke", f"E{unfit}1")
    assert (error.message, error.provider_code) == ("it\ufffdbroke", "E\ufffd1")


def test_the_name_of_a_request_is_fit_to_be_stored_as_well() -> None:
    assert ProviderError(ErrorClass.PROTOCOL, "it broke", request_id="r\x001").request_id == "r\ufffd1"
    assert Done(request_id="r\x001").request_id == "r\ufffd1"


def test_ordinary_words_of_any_language_stay_as_they_are() -> None:
    text = "Zeile 1\n\tZeile 2: 猫 🦊 é"
    assert presentable(text) == text
    assert ProviderError(ErrorClass.PROTOCOL, text).provider_code is None


def test_words_without_end_are_cut() -> None:
    error = ProviderError(ErrorClass.PROTOCOL, "x" * 1_000_000, "y" * 1_000_000)
    assert (len(error.message), len(error.provider_code or "")) == (MOST_CHARS, LONGEST_CODE)
    assert error.message.endswith("x…")
