"""Senders of webhooks that are killed: what was told is told again under the same id, and nothing is left out."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.support.receiver import Receiver, verified
from tests.support.server import PATIENCE_S, Installation


class Heard(Receiver):
    """Listens in a thread of its own, and can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()

    @contextmanager
    def listening(self) -> Iterator[str]:
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self.open(), self._loop).result(PATIENCE_S)
            yield f"127.0.0.1:{self.port}"
        finally:
            asyncio.run_coroutine_threadsafe(self.close(), self._loop).result(PATIENCE_S)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(PATIENCE_S)
            self._loop.close()

    def wait(self, count: int) -> None:
        asyncio.run_coroutine_threadsafe(self.until(count), self._loop).result(PATIENCE_S)


@pytest.mark.parametrize("point", ["take_deliveries.after_commit", "record_try.before_commit"])
def test_a_sender_killed_before_it_has_recorded_a_try_leaves_it_to_the_next(made: Installation, point: str) -> None:
    receiver = Heard()
    with receiver.listening() as place:
        server = made.serve(test_mode=1, test_crash=f"{point}=kill", allow_private_hosts=place)
        body = {"kind": "image", "prompt": "a pier", "callback": {"url": f"http://{place}/hook"}}
        job_id = made.request("POST", "/api/jobs", json=body).json()["id"]
        server.wait()
        sent = len(receiver.told)
        assert sent == (1 if "record" in point else 0)
        _forget_the_wait(made)
        made.serve(allow_private_hosts=place)
        receiver.wait(sent + 1)
        made.until_ended([job_id])
        assert set(receiver.ids) == {made.rows("SELECT id FROM deliveries")[0]["id"]}
        secret = made.request("GET", "/api/webhooks/secret").json()["secret"]
        assert {verified(told, secret)["data"]["job_id"] for told in receiver.told} == {job_id}


def _forget_the_wait(made: Installation) -> None:
    """As if the minute were over that the next sender leaves to the one that took it."""
    with closing(sqlite3.connect(made.database)) as connection, connection:
        assert connection.execute("UPDATE deliveries SET due_at = 0 WHERE due_at IS NOT NULL").rowcount == 1
