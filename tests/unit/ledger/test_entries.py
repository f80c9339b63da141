"""Credit arithmetic: whatever is posted, nothing appears and nothing vanishes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.ledger.entries import (
    Balance,
    Entry,
    EntryKind,
    adjustment,
    apply,
    capture,
    grant,
    hold,
    refund,
    release,
)

amounts = st.integers(min_value=0, max_value=10**12)


@st.composite
def prices_and_captures(draw: st.DrawFn) -> tuple[int, int]:
    price = draw(amounts)
    return price, draw(st.integers(min_value=0, max_value=price))


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    price, captured = draw(prices_and_captures())
    return draw(
        st.sampled_from(
            [
                grant(price, reference="r"),
                hold(price, job=1),
                capture(price, captured, job=1),
                release(price, job=1),
                refund(captured + 1, left=price + 1, job=1, reference="r"),
                adjustment(draw(st.integers(-(10**12), 10**12)), reference="r", note="n"),
            ]
        )
    )


@given(st.lists(entries(), max_size=50), amounts)
def test_a_balance_is_always_the_sum_of_its_entries(posted: list[Entry], start: int) -> None:
    balance = Balance(start)
    for entry in posted:
        balance = apply(balance, entry)
    assert balance.balance == start + sum(entry.balance_delta for entry in posted)
    assert balance.held == sum(entry.held_delta for entry in posted)
    assert balance.available == balance.balance - balance.held


@given(st.lists(st.tuples(prices_and_captures(), st.booleans()), max_size=30))
def test_holding_and_then_settling_every_job_leaves_only_what_was_captured(
    jobs: list[tuple[tuple[int, int], bool]],
) -> None:
    funds = sum(price for (price, _), _ in jobs)
    balance = apply(Balance(), grant(funds, reference="r"))
    for number, ((price, _), _) in enumerate(jobs):
        balance = apply(balance, hold(price, job=number))
        assert balance.sound
    assert balance.available == 0
    for number, ((price, captured), delivered) in enumerate(jobs):
        balance = apply(balance, capture(price, captured, job=number) if delivered else release(price, job=number))
        assert balance.sound
    spent = sum(captured for (_, captured), delivered in jobs if delivered)
    assert balance == Balance(funds - spent, 0)


@given(prices_and_captures(), st.lists(st.integers(min_value=1, max_value=10**12), max_size=10))
def test_whatever_is_refunded_in_whatever_parts_nobody_gets_back_more_than_a_job_paid(
    both: tuple[int, int], asked: list[int]
) -> None:
    price, captured = both
    balance = start = Balance(price)
    for entry in (hold(price, job=1), capture(price, captured, job=1)):
        balance = apply(balance, entry)
    left = captured
    for amount in asked:
        if amount > left:
            with pytest.raises(ValueError, match="left"):
                refund(amount, left=left, job=1, reference="r")
            continue
        balance = apply(balance, refund(amount, left=left, job=1, reference="r"))
        left -= amount
    assert balance == Balance(start.balance - left)
    assert balance.balance <= start.balance


@given(prices_and_captures())
def test_a_capture_pays_the_captured_part_and_frees_the_rest_in_one_entry(both: tuple[int, int]) -> None:
    price, captured = both
    before = Balance(price + 7, price)
    after = apply(before, capture(price, captured, job=1))
    assert after == Balance(price + 7 - captured, 0)
    assert after.available == before.available + price - captured


@given(amounts)
def test_a_release_undoes_a_hold(price: int) -> None:
    before = Balance(price, 0)
    assert apply(apply(before, hold(price, job=1)), release(price, job=1)) == before


@pytest.mark.parametrize("captured", [-1, 11])
def test_nothing_outside_the_hold_can_be_captured(captured: int) -> None:
    with pytest.raises(ValueError, match="of a hold of 10"):
        capture(10, captured, job=1)


@pytest.mark.parametrize("amount", [-1, 0, 11])
def test_a_refund_gives_back_something_and_at_most_what_is_left(amount: int) -> None:
    with pytest.raises(ValueError, match="of 10 left"):
        refund(amount, left=10, job=1, reference="r")


def test_a_balance_is_unsound_when_more_is_held_than_owned_or_less_than_nothing() -> None:
    assert Balance(5, 5).sound
    assert not Balance(5, 6).sound
    assert not Balance(5, -1).sound
    assert not apply(Balance(5), hold(6, job=1)).sound


def test_entries_say_what_they_are_for() -> None:
    assert grant(5, reference="invoice 7", note="thanks") == Entry(
        EntryKind.GRANT, 5, 0, reference="invoice 7", note="thanks"
    )
    assert refund(5, left=5, job=3, reference="r", note="blurred") == Entry(
        EntryKind.REFUND, 5, 0, job=3, reference="r", note="blurred"
    )
    assert adjustment(-5, reference="r", note="wrong invoice") == Entry(
        EntryKind.ADJUSTMENT, -5, 0, reference="r", note="wrong invoice"
    )
    assert (hold(5, job=3).job, capture(5, 2, job=3).job, release(5, job=3).job) == (3, 3, 3)
