"""What a statement means is the same on SQLite and Postgres, for one row and for many."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import sqlalchemy as sa

from safelight.store.database import Database
from safelight.store.statements import SQLITE, Change, Query, insert_or_ignore, postgres_dialect
from tests.unit.store.toy_store import (
    Count,
    Note,
    Numbered,
    add_coins,
    all_notes,
    argument,
    count_notes,
    drop_note,
    insert_note,
    insert_note_numbered,
    note,
    note_by_id,
    notes,
    notes_by_ids,
    offer_note,
    offer_note_numbered,
    open_purse,
    purse,
    purses,
    ready_once,
    rename,
)

AWKWARD = [
    "",
    "NULL",
    "null",
    "it's",
    'say "x"',
    "back\\slash",
    "two\\\\",
    "a,b",
    "{}",
    "{a}",
    "line\nbreak\r\ttab",
    "50%",
    "%s %(a)s :a ?",
    "ünïcödé 写真 🖼",
    " spaces ",
    '\\"',
    "\x01",
]


def test_awkward_texts_come_back_as_they_were_from_one_row_and_from_many(database: Database) -> None:
    with database.transaction() as tx:
        tx.many(insert_note, [note(f"many-{n}", text=text) for n, text in enumerate(AWKWARD)])
        for n, text in enumerate(AWKWARD):
            tx.run(insert_note, **note(f"one-{n}", text=text))
        assert [row.text for row in tx.all(all_notes)] == AWKWARD * 2


def test_every_kind_of_value_comes_back_as_it_was(database: Database) -> None:
    given = [
        note("a", ready=True, at=1e300, amount=2**62),
        note("b", ready=False, at=-0.1, amount=0),
        note("c", ready=None, at=None, amount=None),
        note("d", ready=True, at=1730000000.123456, amount=40_000),
    ]
    with database.transaction() as tx:
        tx.many(insert_note, given[:2])
        for values in given[2:]:
            tx.run(insert_note, **values)
        rows = tx.all(all_notes)
    assert [(r.ready, r.at, r.amount) for r in rows] == [(v["ready"], v["at"], v["amount"]) for v in given]
    assert [type(r.ready) for r in rows] == [bool, bool, type(None), bool]


def test_an_insert_of_many_gives_the_numbers_in_input_order(database: Database) -> None:
    ids = [f"n{n * 7919 % 100:03}" for n in range(100)]
    with database.transaction() as tx:
        numbers = [row.number for row in tx.many(insert_note_numbered, [note(id) for id in ids]) if row]
        stored = {row.id: row.number for row in tx.all(all_notes)}
    assert numbers == [stored[id] for id in ids]
    assert numbers == sorted(numbers)


def test_an_insert_that_may_skip_rows_tells_which_it_took(database: Database) -> None:
    with database.transaction() as tx:
        tx.run(insert_note, **note("old"))
        rows = [note("new", text="1"), note("old", text="2"), note("new", text="3"), note("other", text="4")]
        answers = tx.many(offer_note_numbered, rows)
        stored = {row.id: row for row in tx.all(all_notes)}
        assert tx.many(offer_note, rows) == [False] * 4
        assert tx.run(offer_note, **note("old")) == 0
        assert tx.one(offer_note_numbered, **note("old")) is None
    assert answers == [Numbered(stored["new"].number), None, None, Numbered(stored["other"].number)]
    assert (stored["new"].text, stored["old"].text) == ("1", None)


def test_a_guarded_insert_from_a_select_answers_in_order(database: Database) -> None:
    source = sa.select(argument("id", type_=sa.Text), purses.c.coins, sa.true()).where(
        purses.c.number == argument("which", type_=sa.BigInteger)
    )
    guarded = Change(sa.insert(notes).from_select(["id", "amount", "ready"], source), match=["id"])
    with database.transaction() as tx:
        tx.run(open_purse, number=1, coins=5)
        assert tx.run(guarded, id="x", which=1) == 1
        assert tx.run(guarded, id="y", which=9) == 0
        given = [{"id": "c", "which": 9}, {"id": "b", "which": 1}, {"id": "a", "which": 1}]
        assert tx.many(guarded, given) == [False, True, True]


def test_an_insert_that_tells_its_rows_apart_by_nothing_is_refused_on_both(database: Database) -> None:
    unclear = Change(insert_or_ignore(notes, ("text",)))
    with database.transaction() as tx, pytest.raises(TypeError, match="match"):
        tx.many(unclear, [{"text": "x"}])


def test_a_guarded_update_moves_each_row_once_and_answers_in_order(database: Database) -> None:
    with database.transaction() as tx:
        tx.many(insert_note, [note("a", amount=1), note("b", amount=2, ready=True), note("c", amount=3, text="x")])
        found = tx.many(ready_once, [{"id": id, "more": 10} for id in ("c", "none", "b", "a")])
        assert [row and (row.id, row.amount, row.ready, row.text) for row in found] == [
            ("c", 13, True, None),
            None,
            None,
            ("a", 11, True, None),
        ]
        assert tx.one(ready_once, id="a", more=1) is None
        assert tx.many(rename, [{"id": "none", "new_text": "t"}, {"id": "b", "new_text": None}]) == [False, True]
        assert tx.many(drop_note, [{"id": "b"}, {"id": "none"}]) == [True, False]
        assert tx.run(drop_note, id="a") == 1
        assert tx.run(drop_note, id="a") == 0


def test_a_query_of_many_gives_each_input_its_own_answer(database: Database) -> None:
    newest = Query(
        sa.select(notes.c.number, notes.c.amount)
        .where(notes.c.text == argument("text"))
        .order_by(notes.c.amount.desc())
        .limit(1),
        NamedTuple("Newest", [("number", int), ("amount", int)]),
    )
    with database.transaction() as tx:
        tx.many(insert_note, [note(f"n{n}", text=f"t{n % 3}", amount=n) for n in range(9)])
        found = tx.many(newest, [{"text": "t1"}, {"text": "none"}, {"text": "t0"}, {"text": "t1"}])
        assert [row and row.amount for row in found] == [7, None, 6, 7]
        by_id = tx.many(note_by_id, [{"id": "n5"}, {"id": "?"}, {"id": "n2"}])
        assert [row and row.id for row in by_id] == ["n5", None, "n2"]
        assert tx.many(note_by_id, []) == []


def test_a_list_of_any_length_is_one_argument(database: Database) -> None:
    others = Query(sa.select(*notes.c).where(notes.c.number.not_in(argument("numbers", expanding=True))), Note)
    with database.transaction() as tx:
        tx.many(insert_note, [note("a'b"), note('c"d'), note("e\\f")])
        assert {row.id for row in tx.all(notes_by_ids, ids=["a'b", "e\\f", "?"])} == {"a'b", "e\\f"}
        assert tx.all(notes_by_ids, ids=[]) == []
        numbers = [row.number for row in tx.all(all_notes)]
        assert [row.number for row in tx.all(others, numbers=numbers[1:])] == numbers[:1]
        assert len(tx.all(others, numbers=[])) == 3


def test_a_constant_in_what_is_looked_for_in_a_list_is_a_literal(database: Database) -> None:
    marked = Query(sa.select(*notes.c).where((notes.c.id + "@").in_(argument("marks", expanding=True))), Note)
    with database.transaction() as tx:
        tx.many(insert_note, [note("a"), note("b")])
        assert [row.id for row in tx.all(marked, marks=["a@", "b"])] == ["a"]


def test_sums_are_integers_on_both(database: Database) -> None:
    total = Query(sa.select(sa.func.sum(notes.c.amount)), Count)
    with database.transaction() as tx:
        tx.many(insert_note, [note("a", amount=2**60), note("b", amount=3)])
        assert tx.all(total) == [Count(2**60 + 3)]
        assert type(tx.all(total)[0].n) is int


def test_added_up_changes_reach_every_row_under_its_lock(database: Database) -> None:
    with database.transaction() as tx:
        tx.many(open_purse, [{"number": n, "coins": 0} for n in range(5)])
    with database.transaction() as tx:
        tx.lock(purses, [3, 1, 2])
        tx.lock(purses, [])
        tx.lock(notes, [1])
        assert all(tx.many(add_coins, [{"which": n, "more": n} for n in range(5)]))
        assert [row and row.coins for row in tx.many(purse, [{"which": n} for n in range(5)])] == [0, 1, 2, 3, 4]


def test_constants_are_literals_so_that_partial_indexes_match() -> None:
    moved = Change(
        sa.update(notes)
        .where(notes.c.ready, notes.c.text.in_(["a", "it's 5%"]), notes.c.id == argument("id"))
        .values(text="x", amount=None, ready=False)
    )
    sqlite, postgres = moved.text(SQLITE), moved.text(postgres_dialect())
    assert "WHERE notes.ready AND notes.text IN ('a', 'it''s 5%') AND notes.id = :id" in sqlite
    assert "WHERE notes.ready AND notes.text IN ('a', 'it''s 5%%') AND notes.id = %(id)s" in postgres
    assert "SET text='x', ready=false, amount=NULL" in postgres


def test_a_claim_skips_locked_rows_on_postgres_and_runs_on_both(database: Database) -> None:
    picked = (
        sa.select(notes.c.number)
        .where(notes.c.ready)
        .order_by(notes.c.number)
        .limit(argument("limit", type_=sa.Integer))
        .with_for_update(skip_locked=True)
        .cte("picked")
        .prefix_with("MATERIALIZED")
    )
    claim = Query(
        sa.update(notes)
        .where(notes.c.number.in_(sa.select(picked.c.number)))
        .values(ready=False, at=argument("now"))
        .returning(notes.c.number, notes.c.at),
        NamedTuple("Claimed", [("number", int), ("at", float)]),
    )
    assert "FOR UPDATE SKIP LOCKED" in claim.text(postgres_dialect())
    assert "AS MATERIALIZED" in claim.text(SQLITE)
    assert "FOR UPDATE" not in claim.text(SQLITE)
    with database.transaction() as tx:
        tx.many(insert_note, [note(f"n{n}", ready=n > 1) for n in range(5)])
        assert len(tx.all(claim, limit=2, now=1.5)) == 2
        assert [row.at for row in tx.all(claim, limit=2, now=2.5)] == [2.5]


def test_a_row_type_that_does_not_fit_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="Numbered has 1 fields, the statement returns 2"):
        Query(sa.select(notes.c.number, notes.c.id), Numbered)


def test_the_clock_stands_still_within_a_transaction_and_moves_between_them(database: Database) -> None:
    with database.transaction() as tx:
        first, again = tx.now, tx.now
    with database.transaction() as tx:
        assert first == again < tx.now


def test_one_gives_the_first_row_or_nothing(database: Database) -> None:
    with database.transaction() as tx:
        assert tx.one(note_by_id, id="?") is None
        tx.run(insert_note, **note("a"))
        found = tx.one(note_by_id, id="a")
        assert found is not None
        assert found.id == "a"
        assert tx.all(count_notes) == [Count(1)]


@pytest.mark.parametrize("count", [1, 7, 8, 9, 17])
def test_however_many_rows_are_inserted_each_answer_is_that_of_its_row(database: Database, count: int) -> None:
    names = [f"n{n}" for n in range(count, 0, -1)]
    with database.transaction() as tx:
        found = tx.many(insert_note_numbered, [note(name) for name in names])
        by_number = {row.number: row.id for row in tx.all(all_notes)}
    assert [row and by_number[row.number] for row in found] == names
