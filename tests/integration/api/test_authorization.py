"""The authorization table: every way in by no key, wrong user, wrong scope, expired, revoked and right key.

A route says by its dependency who may call it (`api/rules.py`). One that says nothing must stand in `OPEN`, with the
reason, and a socket in `SOCKETS`: so a new one without a rule fails here.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import httpx
import pytest

from safelight.api.application import create_app
from safelight.api.credentials import COOKIE
from safelight.api.phoenix_socket import PATH as PHOENIX
from safelight.api.phoenix_socket import TOKEN
from safelight.api.rules import ANYONE, OPEN, Ruled, rules
from safelight.api.socket import PATH as LIVE
from safelight.domain.access import SCOPES
from safelight.services.grant import Gift, grant
from safelight.testing.pictures import tiny_png
from tests.integration.api.problems import problem
from tests.support.door import Door
from tests.support.key_holders import Holder, holder, revoked
from tests.support.knocking import OPENED as OPENED_SOCKET
from tests.support.knocking import Knocked, knock

NOWHERE = "01890000-0000-7000-8000-000000000000"
OPENED: Mapping[tuple[str, str], str] = {
    ("GET", "/openapi.json"): "what there is to call",
    ("GET", "/docs"): "the same to read",
    ("GET", "/"): "the studio, which has to show where to sign in",
    ("GET", "/jobs/{job_id}"): "the studio, too",
    ("*", "/static"): "its files",
    ("GET", "/favicon.ico"): "one of its files",
    ("GET", "/api/live"): "asked by what restarts containers",
    ("GET", "/api/health/live"): "the same",
    ("GET", "/api/ready"): "asked by load balancers",
    ("GET", "/api/health/ready"): "the same",
    ("POST", "/api/session"): "carries its key in the body",
    ("GET", "/api/session"): "tells whether signing in is needed",
    ("DELETE", "/api/session"): "ends what the cookie names, and nothing else",
    ("GET", "/api/assets/{asset_id}"): "by the signature of its address",
    ("GET", "/api/assets/{asset_id}/thumbnail"): "by the signature of its address",
    ("GET", "/api/uploads/{upload_id}/file"): "by the signature of its address",
    ("GET", "/api/avatar-creator/avatars/{avatar_id}/thumbnail"): "by the signature of its address",
    ("GET", "/api/jobs/{job_id}/previews/{sequence}"): "by the signature of its address",
    ("POST", "/api/callbacks/{provider}/{call_id}"): "by the signature of its address",
}
"""Routes that ask for no credential, and why."""
SIGNED = [way for way, why in OPENED.items() if "signature" in why]
FOR_ADMINS = frozenset(
    {
        "/api/credits/grant",
        "/api/credits/refund",
        "/api/credits/audit",
        "/api/health/models",
        "/api/admin/recoveries",
        "/api/admin/recoveries/{recovery_id}",
    }
)
"""Said once more here, because a slip would be costly."""


class Socket(NamedTuple):
    """How a socket is knocked at: its address, the scope it takes, and where else than usual it finds a key."""

    path: str
    scope: str
    places: Sequence[str] = ()


SOCKETS = {
    LIVE: Socket(LIVE, "jobs"),
    PHOENIX: Socket(f"{PHOENIX}?vsn=2.0.0", "jobs", ("authToken", "params")),
}

ROUTES = rules(create_app(None))  # type: ignore[arg-type]  # no installation is needed to say what there is
CALLS = sorted((each for each in ROUTES if each.rule != OPEN), key=lambda way: way.method == "DELETE")
"""Those that leave nothing for the others come last."""
OF_SOMEBODY = [each for each in CALLS if "{job_id}" in each.path or "{upload_id}" in each.path]


class Holders(NamedTuple):
    """`ann` owns a job and an upload; everyone but her is refused in one way or another."""

    door: Door
    job: str
    upload: str
    ann: Holder
    bob: Holder
    expired: Holder
    revoked: Holder
    lacks: Mapping[str, Holder]
    """Keys of hers with every scope but one."""


@pytest.fixture(scope="module")
def held(shared_door: Door) -> Holders:
    """The same table on both databases."""
    door = shared_door
    for user in ("ann", "bob"):
        door.run(door.safelight.database.write(grant, Gift(user, 1_000, f"for-{user}")))
    ann, bob = holder(door, "ann"), holder(door, "bob", "jobs+read")
    job = door.post("/api/jobs", headers=ann.headers, json={"kind": "image", "prompt": "hers"})
    door.post(f"/api/jobs/{job.json()['id']}/cancel", headers=ann.headers)  # so that a stream of it ends
    file = {"file": ("hers.png", tiny_png(), "image/png")}
    upload = door.post("/api/uploads", headers=ann.headers, files=file)
    assert (job.status_code, upload.status_code) == (202, 201)
    return Holders(
        door,
        job.json()["id"],
        upload.json()["id"],
        ann,
        bob,
        expired=holder(door, "ann", lives_s=-1.0),
        revoked=revoked(door),
        lacks={scope: holder(door, "ann", "+".join(each for each in SCOPES if each != scope)) for scope in SCOPES},
    )


def test_a_way_in_that_states_no_rule_is_one_that_is_known_to_be_open() -> None:
    silent = {(each.method, each.path) for each in ROUTES if each.rule == OPEN and each.method != "WS"}
    assert silent == set(OPENED), "give the route a Caller, Reader or Operator, or say here why it is open"
    assert {each.path for each in ROUTES if each.method == "WS"} == set(SOCKETS), (
        "say here which scope the socket takes"
    )
    assert {each.path for each in CALLS if each.rule == "admin"} == FOR_ADMINS


def ask(held: Holders, way: Ruled, shown: Mapping[str, str]) -> httpx.Response:
    """A call that would be all right, or wrong in what it asks for: who calls is looked at first."""
    path = way.path.replace("{job_id}", held.job).replace("{upload_id}", held.upload)
    for name in ("asset_id", "call_id", "project_id", "avatar_id", "generation_id", "recovery_id"):
        path = path.replace(f"{{{name}}}", NOWHERE)
    path = path.replace("{provider}", "openai").replace("{sequence}", "1")
    body = {"json": {}} if way.method in ("POST", "PUT", "PATCH") else {}
    return held.door.request(way.method, path, headers=shown, **body)


@pytest.mark.parametrize("way", CALLS, ids=lambda way: f"{way.method} {way.path}")
def test_a_call_is_refused_to_all_but_those_it_is_for(held: Holders, way: Ruled) -> None:
    for shown in ({}, held.expired.headers, held.revoked.headers, {"Authorization": "Bearer sk-safelight-no"}):
        refused = ask(held, way, shown)
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer"), shown
        assert "hers" not in refused.text
    if way.rule != ANYONE:
        refused = ask(held, way, held.lacks[way.rule].headers)
        assert refused.status_code == 403
        assert f"`{way.rule}`" in refused.text
    if way in OF_SOMEBODY:
        assert ask(held, way, held.bob.headers).status_code == 404, "whoever owns it, others must not even know"
    assert ask(held, way, held.ann.headers).status_code not in (401, 403, *((404,) if way in OF_SOMEBODY else ()))


@pytest.mark.parametrize(("method", "path"), OPENED, ids=lambda each: each)
def test_what_is_open_asks_for_no_key(held: Holders, method: str, path: str) -> None:
    if path == "/static":
        method, path = "GET", "/static/index.html"
    answer = ask(held, Ruled(method, path, OPEN), {})
    if (method, path) in SIGNED:
        assert answer.status_code in (401, 403)
        assert "signature" in problem(answer, answer.status_code)["detail"]
        assert ask(held, Ruled(method, path, OPEN), held.ann.headers).status_code == answer.status_code, "no key helps"
    else:
        assert answer.status_code not in (401, 403)


@pytest.mark.parametrize("path", SOCKETS)
def test_a_socket_opens_only_for_those_it_is_for(held: Holders, path: str) -> None:
    socket, door = SOCKETS[path], held.door
    assert knock(door, socket.path, {}).status == 401
    for each in (held.expired, held.revoked):
        assert knock(door, socket.path, each.headers).status == 401
        for place in socket.places:
            assert in_place(door, socket, place, each).status == 401
    assert knock(door, socket.path, held.lacks[socket.scope].headers).status == 403
    assert knock(door, socket.path, held.ann.headers).status == OPENED_SOCKET
    for place in socket.places:
        assert in_place(door, socket, place, held.ann).status == OPENED_SOCKET


def in_place(door: Door, socket: Socket, place: str, shown: Holder) -> Knocked:
    """With the key where only this socket looks for one."""
    if place == "params":
        return knock(door, f"{socket.path}&token={shown.key}", {})
    token = base64.b64encode(shown.key.encode()).decode().rstrip("=")
    return knock(door, socket.path, {}, ["phoenix", f"{TOKEN}{token}"])


@pytest.mark.parametrize("path", SOCKETS)
def test_a_socket_takes_a_session_only_from_our_own_pages_and_a_ticket_once(held: Holders, path: str) -> None:
    socket, door = SOCKETS[path], held.door
    session = door.post("/api/session", json={"key": held.ann.key}).cookies[COOKIE]
    door._client.cookies.clear()
    cookie = {"Cookie": f"{COOKIE}={session}"}
    assert knock(door, socket.path, {**cookie, "Origin": "http://127.0.0.1"}).status == OPENED_SOCKET
    assert knock(door, socket.path, {**cookie, "Origin": "https://evil.example"}).status == 403
    assert knock(door, socket.path, {**cookie, "Origin": "http://127.0.0.1:8001"}).status == 403
    ticket = door.post("/api/tickets", headers=held.ann.headers).json()["ticket"]
    with_ticket = f"{socket.path}{'&' if '?' in socket.path else '?'}ticket={ticket}"
    assert knock(door, with_ticket, {"Origin": "https://app.example"}).status == OPENED_SOCKET
    assert knock(door, with_ticket, {"Origin": "https://app.example"}).status == 401


@pytest.mark.parametrize("path", SOCKETS)
def test_in_local_mode_a_socket_opens_for_this_machine_s_own_pages_and_programs_only(
    sqlite_door: Door, path: str
) -> None:
    socket = SOCKETS[path].path
    own = {"Host": "localhost:8000", "Origin": "http://localhost:8000"}
    for shown in ({}, own, {"Authorization": "Bearer anything"}):
        assert knock(sqlite_door, socket, shown).status == OPENED_SOCKET
    for foreign in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}, {**own, "Origin": "null"}):
        assert knock(sqlite_door, socket, foreign).status == 403
