"""Servers that are killed while keys are shown: a ticket opens one thing at most, and who signed out stays out."""

from __future__ import annotations

import httpx
import pytest

from safelight.api.credentials import COOKIE
from safelight.domain.access import hashed, new_token, read_scopes
from safelight.domain.ids import new_id
from safelight.services.api_keys import NewKey, make_key
from safelight.store.connect import open_database
from safelight.store.migrate import upgrade
from tests.support.server import Installation

NO_JOB = "01890000-0000-7000-8000-000000000000"
POINTS = (
    "note_use.before_commit",
    "note_use.after_commit",
    "put_ticket.before_commit",
    "put_ticket.after_commit",
    "take_ticket.before_commit",
    "take_ticket.after_commit",
    "end_session.before_commit",
    "end_session.after_commit",
)


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_server_opens_nothing_twice_and_nothing_again(made: Installation, point: str) -> None:
    key = {"Authorization": f"Bearer {_key(made)}"}
    server = made.serve(test_mode=1, test_crash=f"{point}=kill")
    _ask(made, "GET", "/api/credits", key)
    ticket, session = _ticket(made, key), _session(made, key)
    events = f"/api/jobs/{NO_JOB}/events"
    opened = [_ask(made, "GET", f"{events}?ticket={ticket}")]
    out = _ask(made, "DELETE", "/api/session", session)
    server.wait()
    made.serve()
    assert _ask(made, "GET", "/api/credits", key) == 200
    ticket = ticket or _ticket(made, key)
    opened.append(_ask(made, "GET", f"{events}?ticket={ticket}"))
    opened.append(_ask(made, "GET", f"{events}?ticket={ticket}"))
    assert opened.count(404) <= 1  # there is no such job, which only who was let in is told
    assert opened[-1] == 401
    if session and out != 204:
        assert _ask(made, "DELETE", "/api/session", session) == 204
    assert _ask(made, "GET", "/api/credits", session) == 401


def _key(made: Installation) -> str:
    key = new_token()
    upgrade(made.database_url)
    database = open_database(made.database_url)
    with database.transaction() as tx:
        make_key(tx, NewKey(new_id(), hashed(key), "ann", "", read_scopes("jobs"), "", None))
    database.close()
    return key


def _ask(made: Installation, method: str, path: str, headers: dict[str, str] | None = None) -> int | None:
    """The status, or None from a server that died over it."""
    try:
        return made.request(method, path, headers=headers or {}).status_code
    except httpx.HTTPError:
        return None


def _ticket(made: Installation, key: dict[str, str]) -> str:
    """Nothing if it died over it."""
    try:
        return str(made.request("POST", "/api/tickets", headers=key).json()["ticket"])
    except httpx.HTTPError:
        return ""


def _session(made: Installation, key: dict[str, str]) -> dict[str, str]:
    body = {"key": key["Authorization"].removeprefix("Bearer ")}
    try:
        return {"Cookie": f"{COOKIE}={made.request('POST', '/api/session', json=body).cookies[COOKIE]}"}
    except httpx.HTTPError:
        return {}
