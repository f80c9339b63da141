"""What a database would do to run a statement, as lines that both sorts of plan are read into."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa

from safelight.store.postgres_tx import array_literal
from safelight.store.set_form import set_text
from safelight.store.statements import SQLITE, Statement, postgres_dialect
from tests.support.statements import values_for

AT_ONCE = 50
"""Rows that go through a statement's form for many."""


@dataclass(frozen=True, slots=True)
class Step:
    """How one table is read, or a sort (then `table` is empty). `rows` is Postgres' estimate."""

    table: str
    index: str
    """Empty for a walk through the whole table."""
    rows: float = 0.0
    sorts: bool = False
    bounded: bool = True
    """Whether only a part of the index is read. All of a partial one may be little, too."""


def on_sqlite(connection: Any, statement: Statement) -> list[Step]:
    """The plan as `EXPLAIN QUERY PLAN` tells it."""
    text = statement.text(SQLITE)
    names = _names(text)
    lines = connection.execute(f"EXPLAIN QUERY PLAN {text}", dict.fromkeys(statement.arguments)).fetchall()
    return [step for (*_, line) in lines for step in _read_line(line, names)]


def on_postgres(
    connection: psycopg.Connection[Any], statement: Statement, *, many: bool = False
) -> Iterator[list[Step]]:
    """The plan it makes for given values, and the one that it keeps for all values; of the form for `many` rows."""
    values = values_for(statement)
    if many:
        values = {name: array_literal([value] * AT_ONCE) for name, value in values.items()}
    text = set_text(statement) if many else statement.text(postgres_dialect())
    yield _explained(connection, f"EXPLAIN (FORMAT JSON) {text}", values)
    order = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", text)))
    numbered = re.sub(r"%\((\w+)\)s", lambda found: f"${order.index(found[1]) + 1}", text).replace("%%", "%")
    types = ", ".join(_type_of(statement.arguments[name], many) for name in order)
    connection.execute(f"PREPARE it {f'({types})' if order else ''} AS {numbered}")
    given = f"({', '.join(['NULL'] * len(order))})" if order else ""
    connection.execute("SET plan_cache_mode = force_generic_plan")
    try:
        yield _explained(connection, f"EXPLAIN (FORMAT JSON) EXECUTE it{given}")
    finally:
        connection.execute("RESET plan_cache_mode")
        connection.execute("DEALLOCATE it")


def _explained(connection: psycopg.Connection[Any], text: str, values: dict[str, Any] | None = None) -> list[Step]:
    row = connection.execute(text, values, prepare=False).fetchone()
    assert row is not None
    plan = row[0] if isinstance(row[0], list) else json.loads(row[0])
    return list(_walk(plan[0]["Plan"]))


def _walk(node: dict[str, Any]) -> Iterator[Step]:
    kind = node["Node Type"]
    if kind == "Seq Scan":
        yield Step(node["Relation Name"], "", node["Plan Rows"], bounded=False)
    elif kind in ("Index Scan", "Index Only Scan"):
        yield Step(node["Relation Name"], node["Index Name"], node["Plan Rows"], bounded="Index Cond" in node)
    elif kind == "Bitmap Heap Scan":
        yield from (
            Step(node["Relation Name"], index["Index Name"], node["Plan Rows"], bounded="Index Cond" in index)
            for index in _bitmaps(node["Plans"])
        )
    elif kind.endswith("Sort"):
        yield Step("", "", node["Plan Rows"], sorts=True)
    for child in node.get("Plans", ()):
        yield from _walk(child)


def _bitmaps(nodes: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for node in nodes:
        if node["Node Type"] == "Bitmap Index Scan":
            yield node
        yield from _bitmaps(node.get("Plans", ()))


def _names(text: str) -> dict[str, str]:
    """Which table each name of the text stands for."""
    found = re.findall(r'\b(?:FROM|JOIN|UPDATE|INTO|,)\s+"?(\w+)"?(?:\s+AS\s+(\w+))?', text)
    return {alias or table: table for table, alias in found}


def _read_line(line: str, names: dict[str, str]) -> Iterator[Step]:
    if line.startswith("USE TEMP B-TREE FOR ORDER BY"):
        yield Step("", "", sorts=True)
    elif read := re.match(
        r"(SCAN|SEARCH) (\w+)(?: USING (?:COVERING )?(?:INDEX )?(.+?))?(?: \(.*\))?(?: LEFT-JOIN)?$", line
    ):
        how, name, index = read.groups()
        if name in names:
            yield Step(names[name], index or "", bounded=how == "SEARCH")


def _type_of(argument: sa.BindParameter[Any], many: bool) -> str:
    """As the driver sends it."""
    kinds = {sa.Boolean: "bool", sa.Float: "float8", sa.Integer: "int8"}
    kind = next((name for python, name in kinds.items() if isinstance(argument.type, python)), "text")
    return f"{kind}[]" if many or argument.expanding else kind
