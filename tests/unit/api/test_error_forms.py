"""Every front door tells errors in its own form, whoever raised them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from safelight.api.errors import bug, refusal
from safelight.domain.errors import InvalidParams, NotFound, RateLimited, Remedy, Unauthorized, Unavailable

GONE = NotFound("There is no task '7'.")


def scope_of(path: str, root_path: str = "") -> dict[str, Any]:
    return {"type": "http", "path": path, "root_path": root_path, "safelight.request_id": "r-1"}


@pytest.mark.parametrize("path", ["/api/jobs/7", "/api/tasksheet", "/", "/api"])
def test_our_own_api_answers_problems(path: str) -> None:
    answer = refusal(scope_of(path), GONE)
    assert answer.headers["content-type"] == "application/problem+json"
    assert json.loads(answer.body)["code"] == "not_found"


@pytest.mark.parametrize(
    ("path", "root"), [("/api/tasks", ""), ("/api/tasks/7", ""), ("/api/tasks/", ""), ("/media/api/tasks/7", "/media")]
)
def test_a_door_answers_in_its_own_form_also_below_a_sub_path(path: str, root: str) -> None:
    answer = refusal(scope_of(path, root), GONE)
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.body) == {
        "success": False,
        "error": {"code": "NOT_FOUND", "message": GONE.what, "remedy": str(GONE.remedy)},
        "request_id": "r-1",
    }


def test_a_door_says_as_well_when_to_come_again() -> None:
    later = Unavailable("The disk is full.", remedy=Remedy("Free some space."))
    for path in ("/api/jobs", "/api/tasks"):
        answer = refusal(scope_of(path), later)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_a_crash_is_told_in_the_form_of_the_door() -> None:
    answer = bug(scope_of("/api/tasks"), RuntimeError("a secret of the inside"))
    assert (answer.status_code, json.loads(answer.body)["error"]["code"]) == (500, "INTERNAL")
    assert b"secret" not in answer.body


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidParams("prompt: is required", errors={"prompt": ["is required"]}), 422, "VALIDATION_ERROR"),
        (Unauthorized("No key.", remedy=Remedy("Send one.")), 401, "UNAUTHORIZED"),
        (RateLimited("Too fast.", remedy=Remedy("Wait.")), 429, "RATE_LIMITED"),
    ],
)
def test_the_codes_of_tasks_are_those_of_their_contract(error: Any, status: int, code: str) -> None:
    answer = refusal(scope_of("/api/tasks"), error)
    told = json.loads(answer.body)["error"]
    assert (answer.status_code, told["code"]) == (status, code)
    assert told.get("errors", {}) == getattr(error, "errors", {})
