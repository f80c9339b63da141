"""The form of a one-row statement that takes many rows at once on Postgres.

Each argument is read from a column of `unnest(arrays) WITH ORDINALITY`, derived from the same Core expression, so there
is nothing to keep in step. A list costs one round trip and one plan, whatever its length.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import visitors

from safelight.store.statements import Statement, is_argument, literal, postgres_dialect, rendered, values_of

ORDINAL = "_n"


@cache
def set_text(statement: Statement) -> str:
    """The SQL that runs `statement` once per array element.

    Rows carry the number of their input, from 1, as the last column. Rows of an INSERT cannot: they end with the
    `match` columns, or begin with the number that the table gave them in input order.
    """
    if statement.lists:
        raise TypeError(f"{statement!r} takes a list for {statement.lists}: it cannot run for many rows at once.")
    given = _given(statement)

    def from_given(element: Any, **_: Any) -> Any:
        return given.c[element.key] if is_argument(element) else literal(element)

    if statement.inserts:
        return rendered(_insert(statement, given, from_given), postgres_dialect())
    replaced = visitors.replacement_traverse(statement.expression, {}, from_given)
    if isinstance(replaced, sa.Select):
        found = replaced.correlate(given).lateral("found")
        replaced = sa.select(*found.c, given.c[ORDINAL]).select_from(given).join(found, sa.true())
    else:
        replaced = replaced.returning(given.c[ORDINAL])
    return rendered(replaced, postgres_dialect())


def _given(statement: Statement) -> Any:
    arguments = statement.arguments.values()
    if untyped := [argument.key for argument in arguments if isinstance(argument.type, sa.types.NullType)]:
        raise TypeError(f"The type of {untyped} in {statement!r} is not known: give bindparam(…, type_=…).")
    arrays = [sa.bindparam(argument.key, None, type_=ARRAY(argument.type)) for argument in arguments]
    columns = [sa.column(argument.key, argument.type) for argument in arguments]
    return sa.func.unnest(*arrays).table_valued(*columns, with_ordinality=ORDINAL).render_derived(name="given")


def _insert(statement: Statement, given: Any, from_given: Any) -> Any:
    original = statement.expression
    insert = sa.insert(original.table)
    if original.select is not None:
        source = visitors.replacement_traverse(original.select, {}, from_given)
        insert = insert.from_select(original._select_names, source.order_by(given.c[ORDINAL]))
    else:
        values = {
            column.key: visitors.replacement_traverse(value, {}, from_given)
            for column, value in values_of(original).items()
        }
        insert = insert.from_select(list(values), sa.select(*values.values()).order_by(given.c[ORDINAL]))
    if (clause := original._post_values_clause) is not None:
        insert = insert.ext(clause)
    returned = list(original.exported_columns) if statement.row else []
    if statement.matched:
        returned += [original.table.c[name].label(f"_match_{name}") for name in statement.match]
    return insert.returning(*returned) if returned else insert
