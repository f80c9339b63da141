"""Releases are compared by their numbers."""

from __future__ import annotations

import pytest

from safelight import __version__
from safelight.domain.versions import is_older, is_version


@pytest.mark.parametrize(
    ("version", "than"), [("0.9", "0.10"), ("1.4.0", "1.4.1"), ("1.4", "1.4.1"), ("0", "0.0.1"), ("1.4.0rc1", "1.5")]
)
def test_lower_numbers_are_older(version: str, than: str) -> None:
    assert is_older(version, than)
    assert not is_older(than, version)


@pytest.mark.parametrize(("one", "other"), [("1.4", "1.4.0"), ("0", "0.0.0"), ("1.4.0rc1", "1.4")])
def test_the_same_numbers_are_as_old(one: str, other: str) -> None:
    assert not is_older(one, other)
    assert not is_older(other, one)


@pytest.mark.parametrize("text", ["", "v1", "1.", "1.4.0rc1", "1,4", "1.4 "])
def test_only_numbers_with_dots_are_versions_to_ask_for(text: str) -> None:
    assert not is_version(text)
    assert is_version(__version__)
