"""The Range header, as browsers and players send it, and as nobody should."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.storage.ranges import ByteRange, Unsatisfiable, parse_range


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 1000),
        ("bytes=10-19", 10, 20),
        ("bytes=990-5000", 990, 1000),
        ("bytes=-5", 995, 1000),
        ("bytes=-5000", 0, 1000),
        ("Bytes = 10 - 19", 10, 20),
        ("bytes=0-" + "9" * 5000, 0, 1000),
        ("bytes=-" + "9" * 5000, 0, 1000),
        ("bytes=0000000000000000000000010-19", 10, 20),
    ],
)
def test_one_range_is_cut_to_the_object(header: str, start: int, end: int) -> None:
    assert parse_range(header, 1000) == ByteRange(start, end, 1000)


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-2000", "bytes=-0", "bytes=" + "9" * 5000 + "-"])
def test_a_range_outside_the_object_cannot_be_satisfied(header: str) -> None:
    assert parse_range(header, 1000) == Unsatisfiable(1000)


@pytest.mark.parametrize(
    "header",
    [
        *(None, "", "bytes", "bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "bytes=1-2,5-6", "items=0-5"),
        *("bytes=--5", "bytes=+1-2", "bytes=1.5-2", "bytes=\uff11-\uff12"),
    ],
)
def test_a_header_that_makes_no_sense_asks_for_the_whole(header: str | None) -> None:
    assert parse_range(header, 1000) is None


def test_an_empty_object_has_no_ranges() -> None:
    assert parse_range("bytes=0-", 0) == parse_range("bytes=-5", 0) == Unsatisfiable(0)


def test_answers_say_which_part_they_are() -> None:
    assert ByteRange(10, 20, 1000).content_range == "bytes 10-19/1000"
    assert Unsatisfiable(1000).content_range == "bytes */1000"


@given(st.text(st.sampled_from("bytes=0123456789-, "), max_size=30), st.integers(0, 10**7))
def test_every_range_lies_within_the_object(header: str, size: int) -> None:
    found = parse_range(header, size)
    if isinstance(found, ByteRange):
        assert 0 <= found.start < found.end <= size


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(1, 1000))
def test_a_range_is_what_python_would_slice(first: int, last: int, size: int) -> None:
    body = bytes(size)
    found = parse_range(f"bytes={first}-{last}", size)
    expected = body[first : last + 1]
    if isinstance(found, ByteRange):
        assert len(body[found.start : found.end]) == len(expected)
    else:
        assert expected == b""
