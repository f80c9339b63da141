"""What `safelight credits ...` does: open the database, read or post an entry, say so."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import typer

from safelight.cli import when
from safelight.cli.accounts import account_details, entries_table
from safelight.cli.direct import opened_database
from safelight.cli.out import err, out, plain, print_json
from safelight.cli.pick import pick_among
from safelight.domain.errors import CallerError, NotFound, Remedy
from safelight.domain.ids import LONGEST_USER_ID, is_user_id, new_id
from safelight.services.credits import account_of
from safelight.services.grant import LONGEST_NOTE, LONGEST_REFERENCE, Gift, adjust, grant
from safelight.services.job_pages import FIRST_PAGE
from safelight.services.newest_jobs import newest_jobs
from safelight.services.once import Posted
from safelight.services.read_ledger import account_body, ledger_page, line_body, posted_body
from safelight.services.refund import Refund, refund
from safelight.store.tx import Tx


def show_account(user: str, *, as_json: bool) -> None:
    with opened_database() as database, database.reading() as tx:
        account = account_of(tx, user)
    if account is None:
        raise _no_account(user)
    body = account_body(user, account.credits)
    if as_json:
        print_json(body)
    else:
        out().print(account_details(body))


def list_entries(user: str, *, limit: int, before: int | None, as_json: bool) -> None:
    with opened_database() as database, database.reading() as tx:
        account = account_of(tx, user)
        lines, more = ledger_page(tx, user, limit, before or FIRST_PAGE)
    if account is None:
        raise _no_account(user)
    entries = [line_body(line) for line in lines]
    if as_json:
        print_json({"entries": entries, "nextBefore": more})
        return
    if not entries:
        err().print("No entries.")
        return
    out().print(entries_table(entries, when.now()))
    if more is not None:
        err().print(f"Older ones: --before {more}", style="dim")


def grant_credits(user: str, amount: int, note: str, reference: str | None, *, as_json: bool) -> None:
    gift = _gift(user, amount, note, reference)
    _report(_posted(lambda tx: grant(tx, gift)), f"Granted {_credits(amount)} to {user}", as_json=as_json)


def adjust_credits(user: str, amount: int, note: str, reference: str | None, *, as_json: bool) -> None:
    gift = _gift(user, amount, note, reference)
    done = f"Added {_credits(amount)} to" if amount > 0 else f"Took {_credits(-amount)} from"
    _report(_posted(lambda tx: adjust(tx, gift)), f"{done} {user}", as_json=as_json)


def refund_job(job: str, amount: int | None, note: str, reference: str | None, *, as_json: bool) -> None:
    with opened_database() as database, database.reading() as tx:
        job_id = pick_among(job, lambda at_most: newest_jobs(tx, at_most))
    wanted = Refund(job_id, amount, *_name_and_reason(reference, note))
    posted = _posted(lambda tx: refund(tx, wanted) or _no_job(job_id))
    line = posted.line
    _report(posted, f"Refunded {_credits(line.balance_delta)} of job {job_id} to {line.user_id}", as_json=as_json)


def _posted(use_case: Callable[[Tx], Posted | CallerError]) -> Posted:
    with opened_database() as database, database.transaction() as tx:
        answer = use_case(tx)
        if isinstance(answer, CallerError):
            raise answer
    return answer


def _gift(user: str, amount: int, note: str, reference: str | None) -> Gift:
    if not is_user_id(user):
        raise typer.BadParameter(f"{user!r} names no user: 1 to {LONGEST_USER_ID} printable characters.")
    return Gift(user, amount, *_name_and_reason(reference, note))


def _name_and_reason(reference: str | None, note: str) -> tuple[str, str]:
    """The reference (a new one where none is given) and the note, as the ledger can keep them."""
    for name, text, longest in (("--reference", reference or "", LONGEST_REFERENCE), ("--note", note, LONGEST_NOTE)):
        if len(text) > longest or not text.isprintable():
            raise typer.BadParameter(f"up to {longest} printable characters.", param_hint=name)
    return reference or new_id(), note


def _report(posted: Posted, done: str, *, as_json: bool) -> None:
    if as_json:
        print_json(posted_body(posted.line, posted.balance) | {"replayed": posted.replayed})
        return
    if posted.replayed:
        done = f"Reference {posted.line.reference} is in the ledger already: nothing was changed"
    out().print(plain(f"{done}."), soft_wrap=True)
    out().print(plain(f"{posted.line.user_id} can spend {_credits(posted.balance.available)}."), soft_wrap=True)


def _credits(amount: int) -> str:
    return f"{amount:,} credit{'' if amount == 1 else 's'}"


def _no_account(user: str) -> NotFound:
    grants = f"safelight credits grant {shlex.quote(user)} 1000"
    return NotFound(f"There is no account {user!r}.", remedy=Remedy("The first grant opens one.", grants))


def _no_job(job_id: str) -> NotFound:
    return NotFound(
        f"There is no job {job_id!r}; a pruned one cannot be refunded any more.",
        remedy=Remedy("Check the id. Credits can be granted without a job.", "safelight jobs list"),
    )
