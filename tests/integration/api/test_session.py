"""Browsers: a key becomes a session or a ticket, which end with it, and no foreign page can use them."""

from __future__ import annotations

from contextlib import closing
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import sqlalchemy as sa

from safelight.api.credentials import COOKIE
from safelight.api.session import MOST_FAILURES
from safelight.services.grant import Gift, grant
from safelight.services.tickets import SESSION_LIVES_S, TICKET_LIVES_S
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx
from tests.integration.api.problems import problem
from tests.support.door import Door
from tests.support.key_holders import Holder, forget_what_is_known, holder, revoke

DAY_S = 86_400.0


@pytest.fixture
def ann(door: Door) -> Holder:
    return holder(door, "ann", "jobs+read")


def sign_in(door: Door, key: str, **headers: str) -> httpx.Response:
    answer = door.post("/api/session", json={"key": key}, headers=headers)
    door._client.cookies.clear()
    return answer


def cookie_of(answer: httpx.Response) -> Morsel[str]:
    return SimpleCookie(answer.headers["Set-Cookie"])[COOKIE]


def signed_in(door: Door, shown: Holder) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={cookie_of(sign_in(door, shown.key)).value}"}


def make_older(door: Door, seconds: float) -> None:
    """As if all tickets and sessions had been made that long before they were."""
    change = Change(sa.update(tables.tickets).values(expires_at=tables.tickets.c.expires_at - seconds))
    door.run(door.safelight.database.write(lambda tx: tx.run(change)))
    forget_what_is_known(door)


def test_who_am_i_tells_the_studio_whether_to_ask_for_a_key(door: Door) -> None:
    everything = ["jobs", "read", "admin"]
    assert door.get("/api/session").json() == {"mode": "local", "user_id": "local", "scopes": everything}
    ann = holder(door, "ann", "jobs+read")
    nobody = {"mode": "keyed", "user_id": None, "scopes": []}
    her = {"mode": "keyed", "user_id": "ann", "scopes": ["jobs", "read"]}
    assert door.get("/api/session").json() == nobody
    assert door.get("/api/session", headers={"Cookie": f"{COOKIE}=se-forged"}).json() == nobody
    assert door.get("/api/session", headers=ann.headers).json() == her
    assert door.get("/api/session", headers=signed_in(door, ann)).json() == her
    problem(door.get("/api/session", headers={"Authorization": "Bearer sk-safelight-x"}), 401, "unauthorized")


def test_in_local_mode_there_is_nothing_to_sign_in_to(door: Door) -> None:
    answer = door.post("/api/session", json={"key": "anything"})
    assert (answer.status_code, answer.json()["mode"]) == (200, "local")
    assert "Set-Cookie" not in answer.headers


def test_a_session_is_a_cookie_that_scripts_and_other_sites_cannot_have(door: Door, ann: Holder) -> None:
    answer = sign_in(door, f"  {ann.key}\n")
    assert (answer.status_code, answer.json()["user_id"]) == (200, "ann")
    assert answer.headers["Cache-Control"] == "no-store"
    cookie = cookie_of(answer)
    assert cookie.value.startswith("se-")
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["secure"]) == (True, "strict", "/", "")
    assert cookie["expires"]
    secure = cookie_of(sign_in(door, ann.key, Origin="https://127.0.0.1"))
    assert secure["secure"] is True
    assert ann.key not in answer.text + answer.headers["Set-Cookie"]


@pytest.mark.parametrize(
    ("host", "place"),
    [("pictures.example.org", ("/studio", True)), ("127.0.0.1:8000", ("/", ""))],
)
def test_a_cookie_belongs_to_where_the_page_is_seen(
    tmp_path: Path, sqlite_url: str, host: str, place: tuple[str, object]
) -> None:
    with closing(Door(tmp_path, sqlite_url, public_url="https://pictures.example.org/studio")) as door:
        cookie = cookie_of(sign_in(door, holder(door).key, Host=host))
        assert (cookie["path"], cookie["secure"]) == place


def test_a_session_opens_requests_and_streams(door: Door, ann: Holder) -> None:
    shown = signed_in(door, ann)
    assert door.get("/api/credits", headers=shown).json()["user_id"] == "ann"
    problem(door.get("/api/credits/audit", headers=shown), 403, "forbidden")


def test_a_session_ends_with_its_key(door: Door, ann: Holder) -> None:
    shown = signed_in(door, ann)
    revoke(door, ann)
    refusal = problem(door.get("/api/credits", headers=shown), 401, "unauthorized")
    assert "revoked" in refusal["detail"]
    assert "Sign in again" in refusal["remedy"]


@pytest.mark.parametrize("lives_s", [None, DAY_S])
def test_a_session_ends_by_itself_and_never_after_its_key(door: Door, lives_s: float | None) -> None:
    ann = holder(door, "ann", lives_s=lives_s)
    shown = signed_in(door, ann)
    make_older(door, (lives_s or SESSION_LIVES_S) - 60.0)
    assert door.get("/api/credits", headers=shown).status_code == 200
    make_older(door, 61.0)
    problem(door.get("/api/credits", headers=shown), 401, "unauthorized")


def test_who_signs_out_takes_the_cookie_s_worth_with_them(door: Door, ann: Holder) -> None:
    shown = signed_in(door, ann)
    assert door.get("/api/credits", headers=shown).status_code == 200
    answer = door.request("DELETE", "/api/session", headers=shown)
    door._client.cookies.clear()
    assert answer.status_code == 204
    assert 'safelight_session=""' in answer.headers["Set-Cookie"]
    problem(door.get("/api/credits", headers=shown), 401, "unauthorized")
    assert door.request("DELETE", "/api/session").status_code == 204
    door._client.cookies.clear()


def test_signing_in_again_ends_the_session_before(door: Door, ann: Holder) -> None:
    shown = signed_in(door, ann)
    sign_in(door, ann.key, **shown)
    problem(door.get("/api/credits", headers=shown), 401, "unauthorized")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://127.0.0.1:8001", "null", "http://127.0.0.1.evil.example"]
)
def test_a_foreign_page_can_do_nothing_with_the_session(door: Door, ann: Holder, origin: str) -> None:
    shown = {**signed_in(door, ann), "Origin": origin}
    job = {"kind": "image", "prompt": "x"}
    problem(door.post("/api/jobs", headers=shown, json=job), 403, "forbidden")
    problem(door.request("DELETE", "/api/session", headers=shown), 403, "forbidden")
    problem(sign_in(door, ann.key, Origin=origin), 403, "forbidden")
    own = door.post("/api/jobs", headers={**shown, "Origin": "http://127.0.0.1"}, json=job)
    assert own.status_code == 402, "only credits are missing"
    by_key = door.post("/api/jobs", headers={**ann.headers, "Origin": origin}, json=job)
    assert by_key.status_code == 402, "a key is never sent by a browser alone"


def test_an_explicit_key_counts_more_than_a_session(door: Door, ann: Holder) -> None:
    bob = holder(door, "bob")
    shown = {**signed_in(door, ann), **bob.headers}
    assert door.get("/api/credits", headers=shown).json()["user_id"] == "bob"
    wrong = {**shown, "Authorization": "Bearer sk-safelight-wrong"}
    problem(door.get("/api/credits", headers=wrong), 401, "unauthorized")
    for_a_proxy = {**signed_in(door, ann), "Authorization": "Basic Zm9vOmJhcg=="}
    assert door.get("/api/credits", headers=for_a_proxy).json()["user_id"] == "ann"


def test_signing_in_may_fail_ten_times_a_minute(door: Door, ann: Holder) -> None:
    for _ in range(MOST_FAILURES):
        problem(sign_in(door, "sk-safelight-guessed"), 401, "unauthorized")
    answer = sign_in(door, ann.key)
    problem(answer, 429, "rate_limited")
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert door.get("/api/credits", headers=ann.headers).status_code == 200, "keys are not affected"


def stream(door: Door, ann: Holder) -> str:
    """The address of a job's events, which end at once: it was canceled."""
    door.run(door.safelight.database.write(grant, Gift("ann", 10, "for a stream")))
    job = door.post("/api/jobs", headers=ann.headers, json={"kind": "image", "prompt": "x"}).json()
    assert door.post(f"/api/jobs/{job['id']}/cancel", headers=ann.headers).is_success
    return f"/api/jobs/{job['id']}/events"


def new_ticket(door: Door, ann: Holder) -> str:
    made = door.post("/api/tickets", headers=ann.headers)
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    return str(made.json()["ticket"])


def test_a_ticket_opens_one_stream_once(door: Door, ann: Holder) -> None:
    events, ticket = stream(door, ann), new_ticket(door, ann)
    answers = door.at_once("GET", [f"{events}?ticket={ticket}"] * 5)
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401]
    refusal = next(answer for answer in answers if answer.status_code == 401)
    assert "POST /api/tickets" in problem(refusal, 401, "unauthorized")["remedy"]


def test_a_ticket_opens_nothing_but_streams_and_is_not_used_up_by_trying(door: Door, ann: Holder) -> None:
    events, ticket = stream(door, ann), new_ticket(door, ann)
    for path in ("/api/credits", "/api/webhooks/secret", "/api/jobs", events.removesuffix("/events")):
        assert "nothing else" in problem(door.get(f"{path}?ticket={ticket}"), 401, "unauthorized")["detail"]
    problem(door.post(f"/api/tickets?ticket={ticket}"), 401, "unauthorized")
    problem(door.get(events, headers={"Authorization": f"Bearer {ticket}"}), 401, "unauthorized")
    problem(door.get(events, headers={"Cookie": f"{COOKIE}={ticket}"}), 401, "unauthorized")
    session = signed_in(door, ann)["Cookie"].partition("=")[2]
    problem(door.get(f"{events}?ticket={session}"), 401, "unauthorized")
    assert door.get(f"{events}?ticket={ticket}").status_code == 200


def test_a_ticket_lasts_a_minute_and_not_longer_than_its_key(door: Door, ann: Holder) -> None:
    events, orphan = stream(door, ann), new_ticket(door, ann)
    revoke(door, ann)
    problem(door.get(f"{events}?ticket={orphan}"), 401, "unauthorized")
    late = new_ticket(door, holder(door, "bob"))
    make_older(door, TICKET_LIVES_S)
    problem(door.get(f"{events}?ticket={late}"), 401, "unauthorized")


def test_a_ticket_of_local_mode_is_worth_nothing_once_there_is_a_key(door: Door) -> None:
    job_id = door.submit()["id"]
    door.post(f"/api/jobs/{job_id}/cancel")
    ticket = door.post("/api/tickets").json()["ticket"]
    assert door.get(f"/api/jobs/{job_id}/events?ticket={ticket}").status_code == 200
    holder(door)
    problem(door.get(f"/api/jobs/{job_id}/events?ticket={ticket}"), 401, "unauthorized")


def test_what_has_expired_does_not_pile_up(door: Door, ann: Holder) -> None:
    for _ in range(3):
        door.post("/api/tickets", headers=ann.headers)
    make_older(door, TICKET_LIVES_S)
    door.post("/api/tickets", headers=ann.headers)
    count = door.run(door.safelight.database.read(_rows))
    assert count == 1


class _Count(NamedTuple):
    n: int


def _rows(tx: Tx) -> int:
    return tx.all(Query(sa.select(sa.func.count()).select_from(tables.tickets), _Count))[0].n
