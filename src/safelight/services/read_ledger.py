"""Read the ledger: an entry by its reference, or an account's entries by page, newest first, with their jobs' ids."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from safelight.domain.clock import as_rfc3339
from safelight.ledger.entries import Balance
from safelight.services.job_pages import FIRST_PAGE
from safelight.services.sql import INTEGER, arg
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

accounts, jobs, ledger = tables.accounts, tables.jobs, tables.ledger


class Line(NamedTuple):
    """One entry as it stands in the ledger. `job_id` is None as well when the job's row was pruned."""

    number: int
    account: int
    user_id: str
    job: int | None
    job_id: str | None
    kind: str
    balance_delta: int
    held_delta: int
    balance_after: int
    reference: str | None
    note: str
    at: float


_FROM_ELSEWHERE = {"user_id": accounts.c.user_id, "job_id": jobs.c.id}
_COLUMNS = [_FROM_ELSEWHERE[name] if name in _FROM_ELSEWHERE else ledger.c[name] for name in Line._fields]
_LINES = sa.select(*_COLUMNS).select_from(
    ledger.join(accounts, accounts.c.number == ledger.c.account).outerjoin(jobs, jobs.c.number == ledger.c.job)
)
_BY_REFERENCE = Query(_LINES.where(ledger.c.reference == arg("given")), Line)
_account = sa.select(accounts.c.number).where(accounts.c.user_id == arg("owner")).scalar_subquery()
_PAGE = Query(  # by the account's number: joined by its name, Postgres would read the whole ledger from its end
    _LINES.where(ledger.c.account == _account, ledger.c.number < arg("before", INTEGER))
    .order_by(ledger.c.number.desc())
    .limit(arg("page_size", INTEGER)),
    Line,
)


def line_of(tx: Tx, reference: str) -> Line | None:
    """The entry that carries a reference; there is at most one."""
    return tx.one(_BY_REFERENCE, given=reference)


def line_there(tx: Tx, reference: str) -> Line:
    """The same where it must exist. Raises IndexError if it does not."""
    return tx.all(_BY_REFERENCE, given=reference)[0]


def ledger_page(tx: Tx, user_id: str, limit: int, before: int = FIRST_PAGE) -> tuple[list[Line], int | None]:
    """A page of a user's entries, and the number to continue before, if there are more."""
    found = tx.all(_PAGE, owner=user_id, before=before, page_size=limit + 1)
    shown = found[:limit]
    return shown, shown[-1].number if len(found) > limit else None


def line_body(line: Line) -> dict[str, Any]:
    """An entry as everyone outside sees it."""
    return {
        "number": line.number,
        "kind": line.kind,
        "balance_delta": line.balance_delta,
        "held_delta": line.held_delta,
        "balance_after": line.balance_after,
        "job_id": line.job_id,
        "reference": line.reference,
        "note": line.note,
        "at": as_rfc3339(line.at),
    }


def account_body(user_id: str, balance: Balance) -> dict[str, Any]:
    """What a user has, as everyone outside sees it. `available` can be spent; `held` is promised to unfinished jobs."""
    return {
        "user_id": user_id,
        "balance": balance.balance,
        "held": balance.held,
        "available": balance.available,
    }


def posted_body(line: Line, balance: Balance) -> dict[str, Any]:
    """The answer to whoever posted an entry: the entry, and its account as it is now."""
    return {"entry": line_body(line), "account": account_body(line.user_id, balance)}
