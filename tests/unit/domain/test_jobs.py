"""The table of moves: what it allows, and that nothing in it leads out of an ending."""

from __future__ import annotations

import pytest

from safelight.domain.jobs import ALLOWED, ENDINGS, LAST_EVENTS, LIVE, MOVES, TERMINAL, EventType, Move, Status


def test_a_status_is_either_live_or_terminal() -> None:
    assert set(Status) == LIVE | TERMINAL
    assert not LIVE & TERMINAL


@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.name)
def test_no_move_leaves_a_terminal_state(move: Move) -> None:
    assert move.source
    assert move.source <= LIVE


def test_allowed_is_exactly_what_the_moves_say() -> None:
    assert {
        ("pending", "processing"),
        ("processing", "pending"),
        ("processing", "completed"),
        ("processing", "partial"),
        ("pending", "failed"),
        ("processing", "failed"),
        ("pending", "canceled"),
        ("processing", "canceled"),
    } == ALLOWED


def test_every_move_has_its_own_name_and_takes_the_job_from_whoever_held_it() -> None:
    assert len({move.name for move in MOVES}) == len(MOVES)
    assert all(move.fence_grows for move in MOVES)


def test_every_status_can_be_reached_from_pending() -> None:
    reached, grown = {Status.PENDING}, True
    while grown:
        step = {target for source, target in ALLOWED if source in reached}
        reached, grown = reached | step, not step <= reached
    assert reached == set(Status)


def test_every_ending_of_a_job_has_its_event() -> None:
    targets = {move.target for move in MOVES} & TERMINAL
    assert set(ENDINGS) == targets
    assert {status: event.value for status, event in ENDINGS.items()} == {s: f"job.{s}" for s in targets}
    assert set(ENDINGS.values()) == LAST_EVENTS & set(EventType)


def test_event_types_have_one_spelling() -> None:
    assert all(event.value.startswith("job.") for event in EventType)
    assert len({event.value for event in EventType}) == len(EventType)
