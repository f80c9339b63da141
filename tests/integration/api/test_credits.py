"""Credits over HTTP: what one has and why, granting, giving back, and the refusal of a job that one cannot pay."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from safelight.api.context import Visitor, visitor
from safelight.services.credits import LOCAL_GRANT
from safelight.services.grant import Gift, adjust
from safelight.store import tables
from safelight.store.statements import Change
from safelight.store.tx import Tx
from tests.integration.api.problems import problem
from tests.support.by_hand import HandWorker
from tests.support.door import Door

SOME_ID = "01890000-0000-7000-8000-000000000000"


def account(door: Door) -> dict[str, Any]:
    body: dict[str, Any] = door.get("/api/credits").json()
    return body


def whole_ledger(door: Door, limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        page = door.get("/api/credits/ledger", params={"limit": limit, "cursor": cursor}).json()
        found += page["entries"]
        cursor = page["nextCursor"]
    return found


_SPOIL = Change(sa.update(tables.accounts).values(balance=tables.accounts.c.balance + 1))


def spoil_balance(tx: Tx) -> None:
    """As if a balance had been changed past the ledger."""
    assert tx.run(_SPOIL) >= 1


def completed(door: Door, **fields: Any) -> dict[str, Any]:
    """A job of one credit that was delivered."""
    job = door.submit(**fields)
    worker = HandWorker(door.safelight.database, door.run)
    assert worker.complete(worker.claim())
    return door.show(job["id"])


def test_what_one_has_follows_a_job_from_hold_to_capture(door: Door) -> None:
    assert account(door) == {"user_id": "local", "balance": LOCAL_GRANT, "held": 0, "available": LOCAL_GRANT}
    job = door.submit()
    assert account(door)["held"] == job["credits"]["held"] == 1
    worker = HandWorker(door.safelight.database, door.run)
    assert worker.complete(worker.claim())
    assert account(door) == {"user_id": "local", "balance": LOCAL_GRANT - 1, "held": 0, "available": LOCAL_GRANT - 1}


def test_the_ledger_tells_why_newest_first_and_whole_however_it_is_paged(door: Door) -> None:
    ids = [completed(door)["id"] for _ in range(3)]
    whole = whole_ledger(door, 200)
    assert [(entry["kind"], entry["job_id"]) for entry in whole] == [
        *((kind, job_id) for job_id in reversed(ids) for kind in ("capture", "hold")),
        ("grant", None),
    ]
    assert whole[0]["balance_after"] == LOCAL_GRANT - 3
    for limit in (1, 2, 6, 7):
        assert whole_ledger(door, limit) == whole


def test_the_cursor_of_one_list_is_none_of_another(door: Door) -> None:
    door.submit_many(2)
    of_jobs, of_entries = (door.get(f"{path}?limit=1").json()["nextCursor"] for path in ("/api/jobs", LEDGER))
    for path, cursor in ((LEDGER, of_jobs), ("/api/jobs", of_entries), (LEDGER, "x")):
        assert "cursor" in problem(door.get(path, params={"cursor": cursor}), 422, "invalid_params")["errors"]


LEDGER = "/api/credits/ledger"


def test_a_grant_is_made_once_per_idempotency_key(door: Door) -> None:
    body = {"user_id": "ann", "amount": 50, "note": "welcome"}
    first = door.post("/api/credits/grant", json=body, headers={"Idempotency-Key": "invoice 7"})
    assert first.status_code == 201
    assert first.json()["account"] == {"user_id": "ann", "balance": 50, "held": 0, "available": 50}
    entry = first.json()["entry"]
    assert (entry["kind"], entry["balance_delta"], entry["reference"], entry["note"]) == (
        "grant",
        50,
        "invoice 7",
        "welcome",
    )
    again = door.post("/api/credits/grant", json=body, headers={"Idempotency-Key": "invoice 7"})
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert again.json() == first.json()
    other = door.post("/api/credits/grant", json=body | {"amount": 51}, headers={"Idempotency-Key": "invoice 7"})
    assert "grant of 50 credits" in problem(other, 422, "idempotency_mismatch")["detail"]
    for _ in range(2):  # without a key each is a new one
        last = door.post("/api/credits/grant", json=body)
    assert last.json()["account"]["balance"] == 150


def test_a_refund_gives_back_what_a_job_paid_and_never_more(door: Door) -> None:
    job = completed(door, params={"n": 1, "width": 1024, "height": 1024})
    paid = job["credits"]["captured"]
    body = {"job_id": job["id"], "note": "it was blurred"}
    first = door.post("/api/credits/refund", json=body, headers={"Idempotency-Key": "r"})
    assert first.status_code == 201
    assert first.json()["account"]["balance"] == LOCAL_GRANT
    assert (first.json()["entry"]["job_id"], first.json()["entry"]["balance_delta"]) == (job["id"], paid)
    again = door.post("/api/credits/refund", json=body, headers={"Idempotency-Key": "r"})
    assert (again.status_code, again.json()) == (200, first.json())
    refusal = problem(door.post("/api/credits/refund", json=body), 409, "conflict")
    assert (refusal["captured"], refusal["refunded"], refusal["left"]) == (paid, paid, 0)


def test_a_job_that_has_paid_nothing_is_not_refunded(door: Door) -> None:
    refusal = problem(door.post("/api/credits/refund", json={"job_id": door.submit()["id"]}), 409, "conflict")
    assert "pending" in refusal["detail"]
    assert "safelight jobs cancel" in refusal["remedy"]


@pytest.mark.parametrize("job_id", [SOME_ID, SOME_ID.upper(), "x", "", "1", "\u202e"])
def test_a_refund_of_a_job_that_is_not_there_is_not_found(shared_door: Door, job_id: str) -> None:
    problem(shared_door.post("/api/credits/refund", json={"job_id": job_id}), 404, "not_found")


@pytest.mark.parametrize("amount", [0, -1, 10**12 + 1, 10**30, 1.0, 0.5, True, False, "5", [5], {}, None])
def test_an_amount_that_is_no_whole_number_of_credits_is_refused(shared_door: Door, amount: Any) -> None:
    before = account(shared_door)
    posts = {"grant": {"user_id": "local", "amount": amount}, "refund": {"job_id": SOME_ID, "amount": amount}}
    if amount is None:
        del posts["refund"]  # there it means everything
    for path, body in posts.items():
        refusal = problem(shared_door.post(f"/api/credits/{path}", json=body), 422, "invalid_params")
        assert list(refusal["errors"]) == ["amount"]
    assert account(shared_door) == before


@pytest.mark.parametrize("user", ["", " ", " ann", "a\nb", "\u202eann", "x" * 201, 5, None])
def test_credits_are_granted_to_no_name_that_nobody_can_read(shared_door: Door, user: Any) -> None:
    answer = shared_door.post("/api/credits/grant", json={"user_id": user, "amount": 5})
    assert list(problem(answer, 422, "invalid_params")["errors"]) == ["user_id"]


def test_a_grant_of_the_largest_amount_is_taken(door: Door) -> None:
    answer = door.post("/api/credits/grant", json={"user_id": "ann", "amount": 10**12})
    assert answer.json()["account"]["available"] == 10**12


def test_the_audit_finds_nothing_until_something_does_not_add_up(door: Door) -> None:
    completed(door)
    assert door.get("/api/credits/audit").json() == {"findings": []}
    door.run(door.safelight.database.write(spoil_balance))
    (finding,) = door.get("/api/credits/audit").json()["findings"]
    assert finding["what"]
    assert finding["remedy"]["text"]


def test_only_an_operator_grants_and_gives_back(door: Door) -> None:
    door.app.dependency_overrides[visitor] = lambda: Visitor("ann", "", None, frozenset({"jobs", "read"}))
    for path, body in (("grant", {"user_id": "ann", "amount": 5}), ("refund", {"job_id": SOME_ID})):
        assert "admin" in problem(door.post(f"/api/credits/{path}", json=body), 403, "forbidden")["detail"]
    problem(door.get("/api/credits/audit"), 403, "forbidden")
    assert account(door) == {"user_id": "ann", "balance": 0, "held": 0, "available": 0}
    assert door.get(LEDGER).json() == {"entries": [], "nextCursor": None}


def test_a_job_that_cannot_be_paid_is_refused_with_the_numbers_and_the_command_that_helps(door: Door) -> None:
    door.run(door.safelight.database.write(adjust, Gift("local", 3 - LOCAL_GRANT, "r", "spent")))
    large = {"kind": "image", "prompt": "a fleet", "params": {"n": 10}}
    price = door.post("/api/jobs", json=large).json()["price"]
    refusal = problem(door.post("/api/jobs", json=large), 402, "insufficient_credits")
    assert (refusal["account"], refusal["available"], refusal["missing"]) == ("local", 3, price - 3)
    assert f"safelight credits grant local {price - 3}" in refusal["remedy"]
    assert door.post("/api/credits/grant", json={"user_id": "local", "amount": refusal["missing"]}).status_code == 201
    assert door.post("/api/jobs", json=large).status_code == 202
    assert account(door)["available"] == 0
