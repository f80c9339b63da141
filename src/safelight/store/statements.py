"""SQL statements, written once with SQLAlchemy Core for one row and compiled once per database.

An argument is a `sa.bindparam("name")` without a value; every other value in a statement is a constant and
becomes a literal, so that partial indexes are found. How one is run is `tx.py`'s business; how many rows
go through one statement on Postgres is `set_form.py`'s.

A list of any length is an argument too: `column.in_(sa.bindparam("ids", expanding=True))`. It is compiled to
`= ANY(array)` on Postgres and to `IN (SELECT value FROM json_each(…))` on SQLite: the text stays the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, cached_property
from typing import Any, ClassVar, Generic, TypeVar, cast
from weakref import WeakSet

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter

R = TypeVar("R", bound=tuple[Any, ...])
Values = Mapping[str, Any]


_all: WeakSet[Statement] = WeakSet()


def compile_all(database: str) -> None:
    """Compile every statement there is, so that no first use case pays for it: about a millisecond each."""
    dialect = SQLITE if database == "sqlite" else postgres_dialect()
    for statement in list(_all):
        statement.text(dialect)


class Statement:
    """A Core statement, its arguments with their types, and its text for each database.

    `columns` names the arguments of an INSERT that gives no values itself: one argument per column, same name.
    `match` names columns, arguments as well, that tell which input an inserted row belongs to. `many` needs it
    when an INSERT may skip rows; left out, the first unique key found among the arguments is taken.
    """

    row: type[Any] | None = None

    def __init__(self, expression: Any, columns: Iterable[str] = (), match: Iterable[str] = ()) -> None:
        self.expression: Any = _with_columns(expression, tuple(columns))
        self.inserts = isinstance(expression, sa.Insert)
        if self.inserts and not list(self.expression.exported_columns):
            self.expression = self.expression.inline()  # else SQLAlchemy adds a RETURNING of its own
        self.arguments = arguments_of(self.expression)
        self.lists = tuple(name for name, argument in self.arguments.items() if argument.expanding)
        self.match = tuple(match) or (_unique_key_among(expression.table, self.arguments) if self.inserts else ())
        self._texts: dict[str, str] = {}
        _all.add(self)

    def text(self, dialect: sa.Dialect) -> str:
        """The SQL for one row; arguments by name."""
        if dialect.name not in self._texts:
            self._texts[dialect.name] = compiled(self.expression, dialect)
        return self._texts[dialect.name]

    def bound(self, values: Values, as_list: Callable[[Sequence[Any]], str]) -> Values:
        """The values as the driver takes them: lists in the database's own notation."""
        return {**values, **{name: as_list(values[name]) for name in self.lists}} if self.lists else values

    @property
    def skips(self) -> bool:
        """Whether an INSERT may leave out rows it was given."""
        return self.inserts and (self.expression._post_values_clause is not None or self.expression.select is not None)

    @cached_property
    def matched(self) -> bool:
        """Whether an INSERT of many tells its rows apart by `match`: it may skip some, or gives no number."""
        return self.skips or (self.inserts and self.row is not None and not self._numbered())

    def _numbered(self) -> bool:
        first = next(iter(self.expression.exported_columns))
        return first is self.expression.table.autoincrement_column

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.text(SQLITE)}>"


class Change(Statement):
    """A statement of which only the number of changed rows matters."""


class Query(Statement, Generic[R]):
    """A statement that gives rows, each as the NamedTuple `row`, whose fields are the returned columns in order."""

    def __init__(self, expression: Any, row: type[R], columns: Iterable[str] = (), match: Iterable[str] = ()) -> None:
        super().__init__(expression, columns, match)
        returned = list(expression.exported_columns)
        fields: tuple[str, ...] = cast(Any, row)._fields
        if len(returned) != len(fields):
            raise TypeError(f"{row.__name__} has {len(fields)} fields, the statement returns {len(returned)} columns.")
        self.row: type[R] = row
        self.make: Callable[[Iterable[Any]], R] = cast(Any, row)._make
        self.booleans = tuple(n for n, column in enumerate(returned) if isinstance(column.type, sa.Boolean))

    def make_from_numbers(self, values: Iterable[Any]) -> R:
        """A row from a database that has no booleans of its own."""
        row = list(values)
        for n in self.booleans:
            if row[n] is not None:
                row[n] = bool(row[n])
        return self.make(row)


class _DoNothing(sqlite.dml.OnConflictDoNothing):
    """`ON CONFLICT DO NOTHING` in the one form that both compilers render."""

    inherit_cache = True
    constraint_target: ClassVar[None] = None


def insert_or_ignore(
    table: sa.Table, columns: Iterable[str] = (), *, returning: Sequence[sa.ColumnElement[Any]] = ()
) -> sa.Insert:
    """An INSERT that leaves out rows which would break any unique key; the same statement on both databases."""
    insert = sa.insert(table).ext(_DoNothing())
    if columns := tuple(columns):
        insert = cast(sa.Insert, _with_columns(insert, columns))
    return cast(sa.Insert, insert.returning(*returning)) if returning else insert


def compiled(expression: Any, dialect: sa.Dialect) -> str:
    """The text of an expression: arguments stay arguments, constants become literals."""
    return rendered(_with_literals(expression, dialect), dialect)


def rendered(expression: Any, dialect: sa.Dialect) -> str:
    """The text of an expression whose constants have been replaced."""
    return str(expression.compile(dialect=dialect, compile_kwargs={"render_postcompile": True}))


def arguments_of(expression: Any) -> dict[str, BindParameter[Any]]:
    """The arguments of an expression by name; where a name occurs more than once, the one whose type is known."""
    found: dict[str, BindParameter[Any]] = {}
    for element in visitors.iterate(expression):
        if (
            isinstance(element, BindParameter)
            and element.required
            and (element.key not in found or _untyped(found[element.key]))
        ):
            found[element.key] = _typed_by_column(element, expression)
    return found


def values_of(expression: Any) -> dict[sa.Column[Any], Any]:
    """What an INSERT or UPDATE gives its columns; SQLAlchemy has no public name for it."""
    given = getattr(expression, "_values", None) or {}
    return {expression.table.c[key] if isinstance(key, str) else key: value for key, value in given.items()}


def is_argument(element: Any) -> bool:
    """Whether an element stands for a value given at each run."""
    return isinstance(element, BindParameter) and element.required


def literal(element: Any) -> Any:
    """A constant as a literal; None for everything else, which means: leave it as it is."""
    return element.render_literal_execute() if isinstance(element, BindParameter) else None


def _with_literals(expression: Any, dialect: sa.Dialect) -> Any:
    return visitors.replacement_traverse(expression, {}, lambda element, **_: _rewritten(element, dialect))


def _rewritten(element: Any, dialect: sa.Dialect) -> Any:
    if isinstance(element, BinaryExpression) and is_argument(element.right) and element.right.expanding:
        return _in_list(element, dialect)
    if is_argument(element):
        return sa.bindparam(element.key, None, type_=element.type, required=False)
    return literal(element)


def _in_list(element: BinaryExpression[Any], dialect: sa.Dialect) -> Any:
    """`column IN (…)` over one argument that carries the whole list."""
    left, name = _with_literals(element.left, dialect), cast(BindParameter[Any], element.right).key
    included = element.operator is operators.in_op
    if dialect.name == "sqlite":
        listed = sa.select(sa.func.json_each(sa.bindparam(name, None, type_=sa.Text)).table_valued("value").c.value)
        return left.in_(listed) if included else left.not_in(listed)
    array = sa.bindparam(name, None, type_=sa.ARRAY(left.type))
    return left == sa.func.any(array) if included else left != sa.func.all(array)


def _with_columns(expression: Any, columns: tuple[str, ...]) -> Any:
    if not columns:
        return expression
    types = expression.table.c
    return expression.values({name: sa.bindparam(name, type_=types[name].type) for name in columns})


def _typed_by_column(argument: BindParameter[Any], expression: Any) -> BindParameter[Any]:
    """`values(column=bindparam(…))` leaves the argument untyped until it is compiled; its column knows the type."""
    if not _untyped(argument):
        return argument
    for column, value in values_of(expression).items():
        if value is argument:
            return sa.bindparam(argument.key, type_=column.type)
    return argument


def _untyped(argument: BindParameter[Any]) -> bool:
    return isinstance(argument.type, sa.types.NullType)


def _unique_key_among(table: sa.Table, names: Iterable[str]) -> tuple[str, ...]:
    given = set(names)
    keys = [
        [column.name for column in constraint.columns]
        for constraint in table.constraints
        if isinstance(constraint, sa.PrimaryKeyConstraint | sa.UniqueConstraint)
    ]
    return tuple(min((key for key in keys if key and given.issuperset(key)), default=[]))


@cache
def postgres_dialect() -> sa.Dialect:
    """Loaded at first use: whoever runs on SQLite does not pay for it."""
    from sqlalchemy.dialects.postgresql import psycopg

    return cast(sa.Dialect, psycopg.dialect())  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped


class _SqliteCompiler(sqlite.base.SQLiteCompiler):
    """SQLAlchemy adds `OFFSET :param` to a bare LIMIT, a value that nobody would give when the text is run."""

    def limit_clause(self, select: Any, **kw: Any) -> str:
        limit, offset = select._limit_clause, select._offset_clause
        text = f"\n LIMIT {self.process(limit, **kw) if limit is not None else -1}"
        return text if offset is None else f"{text} OFFSET {self.process(offset, **kw)}"


def _sqlite_dialect() -> sa.Dialect:
    dialect = sqlite.dialect(paramstyle="named")
    dialect.statement_compiler = _SqliteCompiler
    dialect.supports_native_boolean = (
        True  # `WHERE ready`, not `ready = 1`, which no partial index on `ready` would match
    )
    return dialect


SQLITE = _sqlite_dialect()
