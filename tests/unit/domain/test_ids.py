"""Ids are UUIDs of version 7 that sort as text by the millisecond they were made in."""

from __future__ import annotations

import subprocess
import sys
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.domain.ids import DRAWN_AT_ONCE, is_id, is_user_id, new_id

moments = st.floats(min_value=0, max_value=2**47 / 1000, allow_nan=False)
noise = st.binary(min_size=10, max_size=10)


@given(moments, noise)
def test_an_id_is_a_uuid_of_version_7_and_knows_its_millisecond(now_s: float, random: bytes) -> None:
    made = new_id(lambda: now_s, lambda: random)
    parsed = uuid.UUID(made)
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    assert parsed.int >> 80 == int(now_s * 1000)
    assert str(parsed) == made
    assert is_id(made)


@given(moments, moments, noise, noise)
def test_ids_sort_by_the_time_they_were_made(one_s: float, other_s: float, one: bytes, other: bytes) -> None:
    first, second = new_id(lambda: one_s, lambda: one), new_id(lambda: other_s, lambda: other)
    if int(one_s * 1000) != int(other_s * 1000):
        assert (first < second) == (one_s < other_s)


def test_ids_differ_even_within_one_millisecond() -> None:
    assert len({new_id(lambda: 1.0) for _ in range(1000)}) == 1000


FORKS = """
import os
from safelight.domain.ids import DRAWN_AT_ONCE, system_noise
system_noise()
if os.fork() == 0:
    print(system_noise().hex(), flush=True)
    os._exit(0)
os.wait()
print(*(system_noise().hex() for _ in range(2 * DRAWN_AT_ONCE)))
"""


def test_a_forked_process_goes_on_with_other_noise() -> None:
    said = subprocess.run([sys.executable, "-c", FORKS], capture_output=True, text=True, check=True, timeout=60)
    theirs, *ours = said.stdout.split()
    assert len(ours) == 2 * DRAWN_AT_ONCE
    assert theirs not in ours


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "0199a1b2-0000-7000-8000-00000000000",
        "0199a1b2-0000-7000-8000-0000000000001",
        "0199A1B2-0000-7000-8000-000000000001",
        "0199a1b2-0000-4000-8000-000000000001",
        "0199a1b2-0000-7000-c000-000000000001",
        "0199a1b200007000800000000000001a",
        "0199a1b2-0000-7000-8000-000000000001\n",
        "{0199a1b2-0000-7000-8000-000000000001}",
    ],
)
def test_nothing_else_is_taken_for_an_id(text: str) -> None:
    assert not is_id(text)


@pytest.mark.parametrize("name", ["local", "a", "ann@example.org", "Zoë & co", "名", "x" * 200])
def test_a_printable_name_can_be_a_users(name: str) -> None:
    assert is_user_id(name)


@pytest.mark.parametrize("name", ["", " ", " ann", "ann ", "a\nb", "a\x00", "a\x1b[2J", "\ud800", "x" * 201])
def test_a_name_that_nobody_could_tell_apart_or_store_is_no_users(name: str) -> None:
    assert not is_user_id(name)
