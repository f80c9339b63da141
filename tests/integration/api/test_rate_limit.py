"""How many jobs a user may submit in a time: counted where jobs are made, told in headers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from safelight.store import tables
from safelight.store.statements import Change
from safelight.store.tx import Tx
from tests.integration.api.problems import problem
from tests.support.door import Door
from tests.support.key_holders import Holder, holder

JOB = {"kind": "image", "prompt": "a lighthouse"}


@pytest.fixture
def limited(tmp_path: Path, database_url: str) -> Iterator[Door]:
    opened = Door(tmp_path, database_url, environ={"SAFELIGHT_RATE_LIMIT": "3/hour"})
    yield opened
    opened.close()


@pytest.fixture
def ann(limited: Door) -> Holder:
    made = holder(limited, "ann")
    grant = {"user_id": "ann", "amount": 1000}
    assert limited.post("/api/credits/grant", json=grant, headers={**made.headers, "Idempotency-Key": "g"}).is_success
    return made


def submit(door: Door, who: Holder, path: str = "/api/jobs", key: str | None = None, **body: Any) -> Any:
    headers = {**who.headers, **({"Idempotency-Key": key} if key else {})}
    return door.post(path, json=body or JOB, headers=headers)


def let_time_pass(door: Door, seconds: float) -> None:
    """As if it had."""
    back = Change(sa.update(tables.rates).values(full_at=tables.rates.c.full_at - seconds))

    def run(tx: Tx) -> int:
        return tx.run(back)

    assert door.run(door.safelight.database.write(run)) == 1


def test_the_allowance_is_told_and_its_end_refused_and_it_comes_back(limited: Door, ann: Holder) -> None:
    left = []
    for _ in range(3):
        answer = submit(limited, ann)
        assert answer.status_code == 202
        assert answer.headers["RateLimit-Policy"] == '"submits";q=3;w=3600'
        left.append(answer.headers["RateLimit"].partition(";t=")[0])
    assert left == ['"submits";r=2', '"submits";r=1', '"submits";r=0']
    refused = submit(limited, ann)
    problem(refused, 429, "rate_limited")
    assert 1190 <= int(refused.headers["Retry-After"]) <= 1200
    let_time_pass(limited, 1200)
    assert submit(limited, ann).status_code == 202
    problem(submit(limited, ann), 429, "rate_limited")


def test_what_makes_no_job_takes_nothing_of_it(limited: Door, ann: Holder) -> None:
    for _ in range(5):
        assert submit(limited, ann, kind="image", prompt="x", params={"width": -1}).status_code == 422
        assert submit(limited, ann, "/api/jobs?dry_run=true").status_code == 200
    first = submit(limited, ann, key="once").json()
    for _ in range(5):
        assert submit(limited, ann, key="once").json()["id"] == first["id"]
    assert submit(limited, ann).headers["RateLimit"].startswith('"submits";r=1;')


def test_a_refusal_holds_no_credits_and_keeps_no_key(limited: Door, ann: Holder) -> None:
    for _ in range(3):
        submit(limited, ann)
    problem(submit(limited, ann, key="again"), 429, "rate_limited")
    held = limited.get("/api/credits", headers=ann.headers).json()["held"]
    assert held == 3 * submit_price(limited, ann)
    let_time_pass(limited, 3600)
    assert submit(limited, ann, key="again").status_code == 202


def submit_price(door: Door, who: Holder) -> int:
    price: int = submit(door, who, "/api/jobs?dry_run=true").json()["price_credits"]
    return price


def test_each_item_of_a_batch_counts_and_each_user_has_their_own(limited: Door, ann: Holder) -> None:
    batch = {"kind": "batch", "items": [{**JOB, "prompt": f"p{n}"} for n in range(2)]}
    assert submit(limited, ann, **batch).headers["RateLimit"].startswith('"submits";r=1;')
    problem(submit(limited, ann, **batch), 429, "rate_limited")
    bob = holder(limited, "bob")
    grant = {"user_id": "bob", "amount": 1000}
    limited.post("/api/credits/grant", json=grant, headers={**ann.headers, "Idempotency-Key": "b"})
    assert submit(limited, bob).status_code == 202


def test_a_job_made_again_counts_as_well(limited: Door, ann: Holder) -> None:
    job_id = submit(limited, ann).json()["id"]
    limited.post(f"/api/jobs/{job_id}/cancel", headers=ann.headers)
    assert limited.post(f"/api/jobs/{job_id}/retry", headers=ann.headers).status_code == 201
    assert submit(limited, ann).headers["RateLimit"].startswith('"submits";r=0;')


def test_of_many_at_once_no_more_pass_than_may(limited: Door, ann: Holder) -> None:
    answers = limited.at_once("POST", ["/api/jobs"] * 12, json=JOB, headers=ann.headers)
    assert sorted(answer.status_code for answer in answers) == [202] * 3 + [429] * 9


def test_local_mode_has_no_limit(limited: Door) -> None:
    answers = limited.at_once("POST", ["/api/jobs"] * 5, json=JOB)
    assert [answer.status_code for answer in answers] == [202] * 5
    assert "RateLimit" not in answers[0].headers
