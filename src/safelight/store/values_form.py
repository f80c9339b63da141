"""The form of an INSERT that takes several rows at once on SQLite.

A run of a statement costs SQLite more than a row does (it opens every index of the table), and costs Python a hand-over
of its lock. Eight rows a run take half the time; more gain nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from safelight.store.statements import SQLITE, Statement, Values

ROWS_AT_ONCE = 8
_ONE_ROW = re.compile(r"(.* VALUES )\((:\w+(?:, :\w+)*)\)( RETURNING .*)?", re.DOTALL)


class _Form(NamedTuple):
    text: str
    names: tuple[str, ...]


def takes_several(statement: Statement) -> bool:
    """Whether it has such a form: nothing but arguments as values, none of its rows skipped, rows told by number."""
    return statement.inserts and not statement.matched and _form(statement) is not None


def runs(statement: Statement, rows: Sequence[Values]) -> Iterator[tuple[str, Values | list[Any]]]:
    """Texts and values that together insert all rows in their order."""
    form = _form(statement)
    whole = 0
    if form is not None:
        whole = len(rows) - len(rows) % ROWS_AT_ONCE
        for start in range(0, whole, ROWS_AT_ONCE):
            yield form.text, [row[name] for row in rows[start : start + ROWS_AT_ONCE] for name in form.names]
    for row in rows[whole:]:
        yield statement.text(SQLITE), row


@cache
def _form(statement: Statement) -> _Form | None:
    found = _ONE_ROW.fullmatch(statement.text(SQLITE))
    if found is None:
        return None
    into, values, returning = found.groups()
    names = tuple(name.removeprefix(":") for name in values.split(", "))
    row = f"({', '.join('?' * len(names))})"
    return _Form(f"{into}{', '.join([row] * ROWS_AT_ONCE)}{returning or ''}", names)
