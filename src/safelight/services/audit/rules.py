"""What an audit is made of: facts about each row, rules that none may break, and findings about those that do."""

from __future__ import annotations

import shlex
from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from safelight.domain.errors import Remedy
from safelight.store.statements import Query
from safelight.store.tables import accounts, ledger
from safelight.store.tx import Tx

Facts = Any
"""The columns of a check's facts, by attribute."""

_row_type: Any = namedtuple  # mypy would have the names written out, but they are the columns'
MOST: Final = 200
"""Rows named per check. Whatever broke more of them broke them all in one way."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not add up: what, the numbers behind it, and one thing to do."""

    code: str
    what: str
    evidence: dict[str, Any]
    remedy: Remedy


@dataclass(frozen=True, slots=True)
class Rule:
    """`broken` is true, and never NULL, of a row that breaks it. The texts are formatted with the row's facts."""

    code: str
    broken: Callable[[Facts], sa.ColumnElement[bool]]
    what: str
    remedy: str
    command: str | None = "safelight credits ledger {user_argument}"

    def finding(self, facts: dict[str, Any]) -> Finding:
        given = facts | {"user_argument": shlex.quote(facts["user"])}
        remedy = Remedy(self.remedy.format(**given), self.command and self.command.format(**given))
        return Finding(self.code, self.what.format(**given), facts, remedy)


class Check:
    """Rules about one sort of rows. The facts must have a column `account`; the user's name is added as `user`."""

    def __init__(self, facts: sa.Subquery, *rules: Rule) -> None:
        self.rules = rules
        user = sa.func.coalesce(accounts.c.user_id, sa.literal("?")).label("user")
        shown = [*facts.c, user]
        broken = [rule.broken(facts.c).label(f"rule_{n}") for n, rule in enumerate(rules)]
        row = _row_type("AuditedRow", [column.name for column in (*shown, *broken)])
        self._facts = len(shown)
        self._query: Query[Any] = Query(
            sa.select(*shown, *broken)
            .select_from(facts.outerjoin(accounts, accounts.c.number == facts.c.account))
            .where(sa.or_(*(label.element for label in broken)))
            .limit(MOST),
            row,
        )

    def findings(self, tx: Tx) -> Iterator[Finding]:
        """One for each rule that a row breaks."""
        for row in tx.all(self._query):
            facts = dict(zip(row._fields[: self._facts], row, strict=False))
            for rule, is_broken in zip(self.rules, row[self._facts :], strict=True):
                if is_broken:
                    yield rule.finding(facts)


def count_of(*kinds: str) -> sa.ColumnElement[int]:
    """How many entries of these kinds a group has."""
    return sa.func.count(sa.case((_is_any_of(kinds), 1)))


def sum_of(amount: sa.ColumnElement[int], *kinds: str) -> sa.ColumnElement[int]:
    """The sum of an amount over a group's entries of these kinds."""
    return sa.func.coalesce(sa.func.sum(sa.case((_is_any_of(kinds), amount))), 0)


def _is_any_of(kinds: Sequence[str]) -> sa.ColumnElement[bool]:
    """Written out: millions of times, a look into a list costs more than two comparisons."""
    return sa.or_(*(ledger.c.kind == kind for kind in kinds))
