"""Two small tables and statements over them, for tests of the transaction layer itself."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from safelight.store.database import Database
from safelight.store.statements import Change, Query, insert_or_ignore

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
metadata = sa.MetaData()

notes = sa.Table(
    "notes",
    metadata,
    sa.Column("number", NUMBER, sa.Identity(), primary_key=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("text", sa.Text),
    sa.Column("ready", sa.Boolean),
    sa.Column("at", sa.Float(53)),
    sa.Column("amount", sa.BigInteger, sa.CheckConstraint("amount >= 0")),
    sqlite_autoincrement=True,
)
purses = sa.Table(
    "purses",
    metadata,
    sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
    sa.Column("coins", sa.BigInteger, nullable=False),
    sa.Column("note", NUMBER, sa.ForeignKey("notes.number", deferrable=True, initially="DEFERRED")),
)


class Numbered(NamedTuple):
    number: int


class Note(NamedTuple):
    number: int
    id: str
    text: str | None
    ready: bool | None
    at: float | None
    amount: int | None


class Coins(NamedTuple):
    number: int
    coins: int


class Count(NamedTuple):
    n: int


argument = sa.bindparam
NOTE_COLUMNS = ("id", "text", "ready", "at", "amount")
insert_note = Change(sa.insert(notes), columns=NOTE_COLUMNS)
insert_note_numbered = Query(sa.insert(notes).returning(notes.c.number), Numbered, columns=NOTE_COLUMNS)
offer_note = Change(insert_or_ignore(notes, NOTE_COLUMNS))
offer_note_numbered = Query(insert_or_ignore(notes, NOTE_COLUMNS, returning=[notes.c.number]), Numbered)
all_notes = Query(sa.select(*notes.c).order_by(notes.c.number), Note)
note_by_id = Query(sa.select(*notes.c).where(notes.c.id == argument("id")), Note)
notes_by_ids = Query(sa.select(*notes.c).where(notes.c.id.in_(argument("ids", expanding=True))), Note)
count_notes = Query(sa.select(sa.func.count()).select_from(notes), Count)
ready_once = Query(
    sa.update(notes)
    .where(notes.c.id == argument("id"), ~notes.c.ready)
    .values(ready=True, text=None, amount=notes.c.amount + argument("more", type_=sa.BigInteger))
    .returning(*notes.c),
    Note,
)
rename = Change(sa.update(notes).where(notes.c.id == argument("id")).values(text=argument("new_text")))
drop_note = Change(sa.delete(notes).where(notes.c.id == argument("id")))
open_purse = Change(sa.insert(purses), columns=("number", "coins"))
pledge = Change(sa.insert(purses), columns=("number", "coins", "note"))
purse = Query(
    sa.select(purses.c.number, purses.c.coins).where(purses.c.number == argument("which", type_=sa.BigInteger)), Coins
)
add_coins = Change(
    sa.update(purses).where(purses.c.number == argument("which")).values(coins=purses.c.coins + argument("more"))
)


def note(id: str, **values: Any) -> dict[str, Any]:
    """The arguments of `insert_note`."""
    return {"id": id, "text": None, "ready": False, "at": 0.5, "amount": 0, **values}


def create(database: Database) -> None:
    """Make the toy tables."""
    dialect = sqlite.dialect() if database.dialect == "sqlite" else postgresql.dialect()
    connection = database.connect()  # type: ignore[attr-defined]
    for table in metadata.sorted_tables:
        connection.execute(str(CreateTable(table).compile(dialect=dialect)))
    connection.close()
