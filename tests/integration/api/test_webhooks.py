"""Outgoing webhooks: told once each, signed as Standard Webhooks has it, whatever their receivers do."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from standardwebhooks.webhooks import WebhookVerificationError

from safelight.events.webhooks import new_secret
from safelight.maintenance.webhooks import Webhooks
from safelight.net.guarded import Guarded
from safelight.services import deliveries
from safelight.services.deliveries import MOST_TRIES, RETRY_AFTER_S
from safelight.store import tables
from safelight.store.statements import Change
from safelight.store.tx import Tx
from safelight.testing.tiny_http import Cut, Outcome, Reply, Silence
from tests.support.door import Door
from tests.support.receiver import Receiver, verified
from tests.unit.net.places import PUBLIC, Names, Network

URL = "http://hooks.test/safelight?for=me"
_ALL_DUE = Change(sa.update(tables.deliveries).where(tables.deliveries.c.due_at.is_not(None)).values(due_at=0.0))


class World:
    """An internet with one receiver behind a public address, and what sends to it."""

    def __init__(self, door: Door, receiver: Receiver, names: Names) -> None:
        self.door, self.receiver = door, receiver
        self.network = Network()
        self.network.port = receiver.port
        self.guarded = Guarded(look_up=names, network=self.network)
        object.__setattr__(door.safelight.desk.intake, "guarded", self.guarded)
        self.webhooks = self.sender()

    def sender(self) -> Webhooks:
        return Webhooks(self.door.safelight.database, self.door.safelight.desk, self.guarded, within_s=0.3)

    def send(self) -> int:
        return self.door.run(self.webhooks.run_once())

    def ended(self, callback: dict[str, Any] | None = None) -> str:
        """A job with this callback, that its user canceled."""
        job_id: str = self.door.submit(callback=callback or {"url": URL})["id"]
        assert self.door.post(f"/api/jobs/{job_id}/cancel").status_code == 200
        return job_id

    def of(self, job_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.door.get(f"/api/jobs/{job_id}/deliveries").json()["deliveries"]
        return found

    def make_due(self) -> None:
        self.door.run(self.door.safelight.database.write(_make_due))

    @property
    def secret(self) -> str:
        return str(self.door.get("/api/webhooks/secret").json()["secret"])


def _make_due(tx: Tx) -> int:
    return tx.run(_ALL_DUE)


@contextmanager
def world(
    door: Door, *answers: Outcome, names: Names | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[World]:
    receiver = Receiver(*answers)
    door.run(receiver.open(tls))
    try:
        yield World(door, receiver, names or Names(hooks_test=[[PUBLIC]]))
    finally:
        door.run(receiver.close())


def test_the_end_of_a_job_is_told_once_with_its_body_and_a_signature_that_verifies(door: Door) -> None:
    with world(door) as there:
        job_id = there.ended()
        assert (there.send(), there.send()) == (1, 0)
        (request,) = there.receiver.told
        told = verified(request, there.secret)
        assert (request.method, request.path, request.query) == ("POST", "/safelight", {"for": "me"})
        assert request.headers["content-type"] == "application/json"
        assert told["type"] == "job.canceled"
        assert told["timestamp"] == told["data"]["at"]
        assert told["data"] | {"payload": None, "at": None} == {
            "type": "job.canceled", "job_id": job_id, "sequence": 2, "at": None, "payload": None,
        }  # fmt: skip
        assert told["data"]["payload"]["id"] == job_id
        assert told["data"]["payload"]["status"] == "canceled"
        (delivery,) = there.of(job_id)
        assert (delivery["state"], delivery["id"], delivery["due_at"]) == ("delivered", there.receiver.ids[0], None)
        assert [(t["n"], t["status"], t["error"]) for t in delivery["tries"]] == [(1, 204, None)]


def test_only_the_events_that_were_asked_for_are_told(door: Door) -> None:
    with world(door) as there:
        there.ended({"url": URL, "events": ["job.submitted", "job.failed"]})
        there.send()
        (request,) = there.receiver.told
        told = verified(request, there.secret)
        assert (told["type"], list(told["data"]["payload"])) == ("job.submitted", ["price_credits"])


def test_a_job_without_a_callback_leaves_no_delivery(door: Door) -> None:
    with world(door) as there:
        job_id = door.submit()["id"]
        door.post(f"/api/jobs/{job_id}/cancel")
        assert there.of(job_id) == []
        assert there.send() == 0


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (Reply(302, b"", {"Location": "http://hooks.test/elsewhere"}), 302, "status 302"),
        (Reply(500, b"no"), 500, "status 500"),
        (Cut(), None, "gave no answer"),
        (Silence(), None, "within 0.3 s"),
    ],
)
def test_a_receiver_that_does_not_say_yes_is_told_again_later(
    door: Door, answer: Outcome, status: int | None, says: str
) -> None:
    with world(door, answer, Reply(200, b"")) as there:
        job_id = there.ended()
        there.send()
        assert len(there.receiver.told) == 1  # a redirect is not followed
        (delivery,) = there.of(job_id)
        assert delivery["state"] == "waiting"
        assert delivery["tries"][0]["status"] == status
        assert says in delivery["tries"][0]["error"]
        assert there.send() == 0
        there.make_due()
        there.send()
        (delivery,) = there.of(job_id)
        assert (delivery["state"], len(delivery["tries"])) == ("delivered", 2)
        assert there.receiver.ids == [delivery["id"]] * 2


def test_a_receiver_that_is_gone_is_told_no_more(door: Door) -> None:
    with world(door, Reply(410, b"")) as there:
        job_id = there.ended()
        there.send()
        (delivery,) = there.of(job_id)
        assert (delivery["state"], delivery["due_at"], delivery["tries"][0]["status"]) == ("failed", None, 410)


def test_a_receiver_that_hangs_keeps_nobody_waiting(door: Door) -> None:
    with world(door, Silence(), Reply(200, b"")) as there:
        ids = [there.ended() for _ in range(5)]
        there.send()
        states = sorted(there.of(job_id)[0]["state"] for job_id in ids)
        assert states == ["delivered"] * 4 + ["waiting"]


@pytest.fixture
def self_signed(tmp_path: Path) -> ssl.SSLContext:
    """TLS with a certificate that nobody trusts."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=hooks.test"]
    command += ["-addext", "subjectAltName=DNS:hooks.test", "-keyout", str(tmp_path / "key"), "-out"]
    subprocess.run([*command, str(tmp_path / "pem")], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "pem", tmp_path / "key")
    return tls


def test_a_receiver_without_trusted_tls_gets_nothing(sqlite_door: Door, self_signed: ssl.SSLContext) -> None:
    door = sqlite_door
    with world(door, tls=self_signed) as there:
        job_id = there.ended({"url": "https://hooks.test/"})
        there.send()
        assert there.receiver.told == []
        assert "certificate verify failed" in there.of(job_id)[0]["tries"][0]["error"]


def test_after_the_last_try_it_is_given_up(door: Door) -> None:
    with world(door, Reply(503, b"")) as there:
        job_id = there.ended()
        for _ in range(MOST_TRIES):
            there.make_due()
            there.send()
        (delivery,) = there.of(job_id)
        assert (delivery["state"], len(delivery["tries"])) == ("failed", MOST_TRIES)
        there.make_due()
        assert there.send() == 0


def test_the_pauses_between_tries_are_those_of_the_contract() -> None:
    assert RETRY_AFTER_S == (5, 60, 300, 1800, 7200, 28800)


def test_what_was_sent_and_not_recorded_is_sent_again_under_the_same_id(door: Door) -> None:
    with world(door) as there:
        job_id = there.ended()
        (taken,) = door.run(door.safelight.database.write(deliveries.take_deliveries, 10))  # and then its process died
        assert there.send() == 0
        there.make_due()
        there.send()
        assert there.receiver.ids == [taken.id]
        (delivery,) = there.of(job_id)
        assert [each["n"] for each in delivery["tries"]] == [2]
        assert delivery["state"] == "delivered"


def test_two_senders_do_not_send_the_same(door: Door) -> None:
    with world(door) as there:
        for _ in range(8):
            there.ended()
        other = there.sender()
        door.run(_both(there.webhooks, other))
        assert len(there.receiver.ids) == len(set(there.receiver.ids)) == 8


async def _both(one: Webhooks, other: Webhooks) -> None:
    await asyncio.gather(one.run_once(), other.run_once())


def test_for_a_day_after_a_rotation_both_secrets_verify(door: Door) -> None:
    with world(door) as there:
        before = there.secret
        answer = door.post("/api/webhooks/rotate").json()
        assert answer["secret"] == there.secret != before
        assert answer["previous_signs_until"] is not None
        there.ended()
        there.send()
        (request,) = there.receiver.told
        assert verified(request, before) == verified(request, there.secret)
        with pytest.raises(WebhookVerificationError):
            verified(request, new_secret())


@pytest.mark.parametrize("place", ["127.0.0.1", "169.254.169.254", "[::1]", "10.0.0.8:8080"])
@pytest.mark.parametrize("route", ["", "/image-generation", "/batch-generation"])
def test_a_callback_into_this_network_is_refused_at_submit(sqlite_door: Door, place: str, route: str) -> None:
    body: dict[str, Any] = {"prompts": ["a"]} if "batch" in route else {"prompt": "a"}
    kind = {} if route else {"kind": "image"}
    answer = sqlite_door.post(f"/api/jobs{route}", json={**body, **kind, "callback": {"url": f"http://{place}/hook"}})
    assert answer.status_code == 422
    assert "public address" in answer.json()["errors"]["callback.url"][0]
    assert sqlite_door.get("/api/jobs").json()["jobs"] == []


@pytest.mark.parametrize(
    "callback",
    [
        {"url": "ftp://hooks.test/"},
        {"url": "http://me:pass@hooks.test/"},
        {"url": URL, "events": []},
        {"url": URL, "events": ["job.progress"]},
        {"url": URL, "events": ["job.asset_recovered"]},
        {"events": ["job.failed"]},
    ],
)
def test_a_callback_that_makes_no_sense_is_refused(sqlite_door: Door, callback: dict[str, Any]) -> None:
    with world(sqlite_door):
        answer = sqlite_door.post("/api/jobs", json={"kind": "image", "prompt": "a", "callback": callback})
        assert answer.status_code == 422
        assert next(iter(answer.json()["errors"])).startswith("callback")


def test_a_name_that_leads_elsewhere_after_the_submit_is_not_dialled(door: Door) -> None:
    with world(door, names=Names(hooks_test=[[PUBLIC], ["169.254.169.254"]])) as there:
        job_id = there.ended()
        there.send()
        assert there.network.dialled == []
        (delivery,) = there.of(job_id)
        assert delivery["state"] == "waiting"
        assert "does not lead to a public address" in delivery["tries"][0]["error"]


def test_a_batch_is_told_of_as_a_whole(door: Door) -> None:
    with world(door) as there:
        body = {"kind": "batch", "prompts": ["a", "b"], "callback": {"url": URL}}
        answer: httpx.Response = door.post("/api/jobs", json=body)
        batch = answer.json()["id"]
        door.post(f"/api/jobs/{batch}/cancel")
        there.send()
        (request,) = there.receiver.told
        assert (request.body["type"], request.body["data"]["job_id"]) == ("job.canceled", batch)
        items = door.get(f"/api/jobs/{batch}/items").json()["jobs"]
        assert [there.of(item["id"]) for item in items] == [[], []]


def test_an_item_of_a_batch_has_no_callback_of_its_own(sqlite_door: Door) -> None:
    items = [{"prompt": "a", "callback": {"url": URL}}]
    answer = sqlite_door.post("/api/jobs", json={"kind": "batch", "items": items})
    assert answer.status_code == 422


def test_the_same_key_with_another_callback_is_another_request(sqlite_door: Door) -> None:
    with world(sqlite_door):
        body = {"kind": "image", "prompt": "a", "callback": {"url": URL}}
        headers = {"Idempotency-Key": "k"}
        first = sqlite_door.post("/api/jobs", json=body, headers=headers).json()["id"]
        assert sqlite_door.post("/api/jobs", json=body, headers=headers).json()["id"] == first
        other = {**body, "callback": {"url": URL, "events": ["job.failed"]}}
        assert sqlite_door.post("/api/jobs", json=other, headers=headers).json()["code"] == "idempotency_mismatch"


def test_a_job_made_again_tells_the_same_callback(sqlite_door: Door) -> None:
    with world(sqlite_door) as there:
        job_id = there.ended()
        again = sqlite_door.post(f"/api/jobs/{job_id}/retry").json()["id"]
        sqlite_door.post(f"/api/jobs/{again}/cancel")
        there.send()
        assert {request.body["data"]["job_id"] for request in there.receiver.told} == {job_id, again}


def test_deliveries_of_others_are_not_shown(sqlite_door: Door) -> None:
    with world(sqlite_door) as there:
        job_id = there.ended()
        sqlite_door.give_away(job_id)
        assert sqlite_door.get(f"/api/jobs/{job_id}/deliveries").status_code == 404
        assert sqlite_door.get("/api/jobs/nonsense/deliveries").status_code == 404


def test_a_running_process_tells_by_itself(door: Door) -> None:
    with world(door) as there:
        object.__setattr__(door.safelight, "guarded", there.guarded)
        with door.working():
            job_id = door.submit(callback={"url": URL})["id"]
            assert door.until_ended(job_id)["status"] == "completed"
            door.run(there.receiver.until(1))
        payload = verified(there.receiver.told[0], there.secret)["data"]["payload"]
        assert payload["status"] == "completed"
        assert payload["assets"][0]["url"].endswith(door.show(job_id)["assets"][0]["url"].split("/api/")[1])
