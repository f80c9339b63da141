"""Requests that come again without a key: whoever repeats is joined to the job of the first, and pays nothing."""

from __future__ import annotations

import threading

import pytest

from safelight.domain.errors import InsufficientCredits
from safelight.services.repeats import SAME_FOR_S
from safelight.services.submission import Answer, Replayed, Submitted
from safelight.services.submit import submit
from safelight.store.connect import open_database
from safelight.store.database import Database
from safelight.testing.books import assert_books_balance
from tests.integration.services.scene import all_jobs, job, scene, set_scene, tag_of, turn_back, wish
from tests.integration.services.test_concurrency import PATIENCE_S

WAITS_S = 0.3


def test_a_repeat_is_joined_to_the_newest_job_of_its_user_and_takes_no_turn(shared: Database) -> None:
    with scene(shared, users=("ann", "bob"), credits=100) as tx:
        submit(tx, [wish("old", sent_before=0)])
        submit(tx, [wish("new", sent_before=0), wish("other", sent_before=0, request_hash="another")])
        turn = tag_of(tx, "ann")
        assert submit(tx, [wish("again", sent_before=1)]) == [Replayed("new")]
        assert tag_of(tx, "ann") == turn
        assert submit(tx, [wish("his", "bob", sent_before=1)]) == [Submitted("his")], "somebody else's"
        assert submit(tx, [wish("fresh", sent_before=0)]) == [Submitted("fresh")], "no repeat"
        assert_books_balance(tx)


def test_jobs_are_known_again_only_where_clients_count(shared: Database) -> None:
    with scene(shared, credits=100) as tx:
        submit(tx, [wish("counted", sent_before=0), wish("silent")])
        assert (job(tx, "counted").request_hash, job(tx, "silent").request_hash) == ("asked", None)
        assert submit(tx, [wish("again", sent_before=1)]) == [Replayed("counted")]


def test_repeats_that_share_a_commit_are_one_job(shared: Database) -> None:
    with scene(shared, credits=10) as tx:
        answers = submit(tx, [wish("b", sent_before=2), wish("a", sent_before=1), wish("c", sent_before=2)])
        assert answers == [Replayed("a"), Submitted("a"), Replayed("a")]
        assert [row.id for row in all_jobs(tx)] == ["a"]
        assert_books_balance(tx)


def test_a_repeat_in_the_commit_of_its_first_is_joined_to_that_and_not_to_an_older_one(shared: Database) -> None:
    with scene(shared, credits=100) as tx:
        submit(tx, [wish("old", sent_before=0)])
        assert submit(tx, [wish("b", sent_before=1), wish("a", sent_before=0)]) == [Replayed("a"), Submitted("a")]


def test_what_nobody_can_pay_is_refused_to_each_of_them(shared: Database) -> None:
    with scene(shared, credits=5) as tx:
        answers = submit(tx, [wish("a", sent_before=1), wish("b", sent_before=2)])
        assert [type(answer) for answer in answers] == [InsufficientCredits] * 2
        assert all_jobs(tx) == []
        assert tag_of(tx, "ann") == 0.0


@pytest.mark.parametrize(("older_s", "joined"), [(SAME_FOR_S - 5, True), (SAME_FOR_S + 5, False)])
def test_after_a_while_a_repeat_is_a_new_job(shared: Database, older_s: float, joined: bool) -> None:
    with scene(shared, credits=100) as tx:
        submit(tx, [wish("first", sent_before=0)])
        turn_back(tx, job(tx, "first").number, "created_at", older_s)
        assert (submit(tx, [wish("again", sent_before=1)]) == [Replayed("first")]) is joined


def test_two_processes_that_hear_the_same_make_one_job(database: Database, database_url: str) -> None:
    """The second waits for the first one's commit, and then sees its job."""
    with database.transaction() as tx:
        set_scene(tx, credits=100)
    answers: list[Answer] = []
    is_over = threading.Event()
    elsewhere = open_database(database_url)

    def submit_elsewhere() -> None:
        with elsewhere.transaction() as tx:
            answers.extend(submit(tx, [wish("second", sent_before=1)]))
        is_over.set()

    second = threading.Thread(target=submit_elsewhere)
    with database.transaction() as tx:
        assert submit(tx, [wish("first", sent_before=0)]) == [Submitted("first")]
        second.start()
        assert not is_over.wait(WAITS_S)
    assert is_over.wait(PATIENCE_S)
    second.join()
    elsewhere.close()
    assert answers == [Replayed("first")]
