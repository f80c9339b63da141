"""Routes of credits: one's own balance and ledger; for operators, granting and giving back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from safelight.api import cursors
from safelight.api.context import Caller, Installation, Operator
from safelight.domain.errors import CallerError
from safelight.domain.ids import LONGEST_USER_ID, is_id, is_user_id, new_id
from safelight.ledger.entries import MOST
from safelight.services.audit import Finding, audit
from safelight.services.credits import balance_of
from safelight.services.desk import no_such_job
from safelight.services.grant import LONGEST_NOTE, LONGEST_REFERENCE, Gift, grant
from safelight.services.once import Posted
from safelight.services.read_ledger import account_body, ledger_page, line_body, posted_body
from safelight.services.refund import Refund, refund
from safelight.store.tx import Tx

router = APIRouter(tags=["credits"])

Reference = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=LONGEST_REFERENCE,
        pattern=r"^[^\x00-\x1f\x7f]*$",
        description="The entry's reference in the ledger: the same one again changes nothing.",
    ),
]


def _names_a_user(text: str) -> str:
    if not is_user_id(text):
        raise ValueError("must be printable, without blanks around it")
    return text


class _Posting(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    note: str = Field("", max_length=LONGEST_NOTE, description="Why: it stands in the ledger.")


class GrantCredits(_Posting):
    """`POST /api/credits/grant`."""

    user_id: Annotated[str, Field(max_length=LONGEST_USER_ID), AfterValidator(_names_a_user)]
    amount: int = Field(ge=1, le=MOST)


class RefundJob(_Posting):
    """`POST /api/credits/refund`."""

    job_id: str = Field(max_length=100)
    amount: int | None = Field(None, ge=1, le=MOST, description="Default: all that was not refunded yet.")


@router.get("/api/credits", summary="What one has")
async def show_credits(safelight: Installation, caller: Caller) -> dict[str, Any]:
    """The balance, what unfinished jobs hold of it, and what can be spent."""
    return account_body(caller.user_id, await safelight.database.read(balance_of, caller.user_id))


@router.get("/api/credits/ledger", summary="List what happened to one's credits, newest first")
async def list_entries(
    safelight: Installation,
    caller: Caller,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> dict[str, Any]:
    """Every entry of the caller's account there ever was; entries outlive their jobs."""
    before = cursors.read(cursor, cursors.LEDGER)
    lines, more = await safelight.database.read(ledger_page, caller.user_id, limit, before)
    return {"entries": [line_body(line) for line in lines], "nextCursor": cursors.written(more, cursors.LEDGER)}


@router.post("/api/credits/grant", status_code=201, summary="Give credits to a user")
async def grant_credits(
    body: GrantCredits, safelight: Installation, operator: Operator, idempotency_key: Reference = None
) -> JSONResponse:
    """201 with the entry and the account; 200 where the same key had made it before."""
    gift = Gift(body.user_id, body.amount, idempotency_key or new_id(), body.note)
    return _answer(await safelight.database.write(grant, gift))


@router.post("/api/credits/refund", status_code=201, summary="Give back what a job paid")
async def refund_job(
    body: RefundJob, safelight: Installation, operator: Operator, idempotency_key: Reference = None
) -> JSONResponse:
    """201 with the entry and the account; 200 where the same key had made it before. Never more than was captured."""
    wanted = Refund(body.job_id, body.amount, idempotency_key or new_id(), body.note)
    answer = await safelight.database.write(refund, wanted) if is_id(body.job_id) else None
    if answer is None:
        raise no_such_job(body.job_id)
    return _answer(answer)


@router.get("/api/credits/audit", summary="Whether accounts, ledger and jobs tell the same story")
async def audit_credits(safelight: Installation, operator: Operator) -> dict[str, Any]:
    """Everything that does not add up; an empty list when all is well. A long history is for the command line."""
    return {"findings": [asdict(finding) for finding in await safelight.database.read(_findings)]}


def _findings(tx: Tx) -> list[Finding]:
    return list(audit(tx))


def _answer(posted: Posted | CallerError) -> JSONResponse:
    if isinstance(posted, CallerError):
        raise posted
    body = posted_body(posted.line, posted.balance)
    if posted.replayed:
        return JSONResponse(body, 200, {"Idempotency-Replayed": "true"})
    return JSONResponse(body, 201)
