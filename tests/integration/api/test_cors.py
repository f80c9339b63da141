"""Pages of other origins: those that are listed may call with a key, all others may not read anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.api.problems import problem
from tests.support.door import Door
from tests.support.key_holders import holder

APP, EVIL = "https://app.example.org", "https://evil.example"
ASKED = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,idempotency-key"}


@pytest.fixture
def open_to_app(tmp_path: Path, sqlite_url: str) -> Iterator[Door]:
    opened = Door(tmp_path, sqlite_url, environ={"SAFELIGHT_CORS_ORIGINS": APP})
    yield opened
    opened.close()


def test_a_listed_page_may_ask_first_and_then_call(open_to_app: Door) -> None:
    ann = holder(open_to_app, "ann")
    asked = open_to_app.request("OPTIONS", "/api/jobs", headers={"Origin": APP, **ASKED})
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (200, APP)
    assert "Access-Control-Allow-Credentials" not in asked.headers
    answer = open_to_app.get("/api/jobs", headers={"Origin": APP, **ann.headers})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, APP)
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]


def test_whatever_the_api_takes_a_listed_page_may_ask_for(open_to_app: Door) -> None:
    """OpenAI's own client names a dozen headers; projects are changed by PATCH."""
    holder(open_to_app, "ann")
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "x-stainless-retry-count"}
    answer = open_to_app.request("OPTIONS", "/api/avatar-creator/projects/p", headers={"Origin": APP, **asked})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Headers"]) == (200, "x-stainless-retry-count")


def test_a_refusal_can_be_read_by_a_listed_page(open_to_app: Door) -> None:
    holder(open_to_app, "ann")
    refused = open_to_app.get("/api/jobs", headers={"Origin": APP})
    problem(refused, 401, "unauthorized")
    assert refused.headers["Access-Control-Allow-Origin"] == APP


def test_other_pages_are_told_nothing(open_to_app: Door) -> None:
    ann = holder(open_to_app, "ann")
    asked = open_to_app.request("OPTIONS", "/api/jobs", headers={"Origin": EVIL, **ASKED})
    assert asked.status_code == 400
    assert "Access-Control-Allow-Origin" not in asked.headers
    answer = open_to_app.get("/api/jobs", headers={"Origin": EVIL, **ann.headers})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_in_local_mode_even_listed_pages_are_foreign(open_to_app: Door) -> None:
    problem(open_to_app.get("/api/jobs", headers={"Origin": APP}), 403, "forbidden")
    problem(open_to_app.request("OPTIONS", "/api/jobs", headers={"Origin": APP, **ASKED}), 403, "forbidden")
