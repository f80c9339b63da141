"""Questions that cost nothing: many at a time on few kept connections, and nobody's loop stands still for them."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from safelight.providers import asking
from safelight.providers.asking import Asking
from safelight.testing.throwaway import free_port
from safelight.testing.tiny_http import Outcome, Reply, Request, listen


class Server:
    """Answers late enough that questions meet, and counts how many do."""

    def __init__(self) -> None:
        self.asked = self.here = self.most = 0
        self.headers: list[str] = []

    async def handle(self, request: Request) -> Outcome:
        self.asked, self.here = self.asked + 1, self.here + 1
        self.most = max(self.most, self.here)
        self.headers.append(request.headers.get("authorization", ""))
        await asyncio.sleep(0.002)
        self.here -= 1
        return Reply(200, {"path": request.path})


def ask(paths: list[str], most: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Server, list[str], int]:
    """The server, the answers in the order of the questions, and how many connections there were."""
    monkeypatch.setattr(asking, "MOST_CONNECTIONS", most)
    server = Server()

    async def run() -> tuple[list[str], int]:
        listening = await listen(server.handle, 0)
        port = listening.sockets[0].getsockname()[1]
        client = Asking(f"http://127.0.0.1:{port}", {"Authorization": "Bearer key"})
        answers = await asyncio.gather(*(client.get(path) for path in paths))
        connections = len(client._free)
        await client.close()
        await client.close()
        listening.close()
        return [answer.json()["path"] for answer in answers], connections

    answers, connections = asyncio.run(run())
    return server, answers, connections


def test_more_questions_than_connections_are_all_answered_each_with_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [f"/{n}" for n in range(100)]
    server, answers, connections = ask(paths, 8, monkeypatch)
    assert answers == paths
    assert (server.asked, server.most, connections) == (100, 8, 8)
    assert set(server.headers) == {"Bearer key"}


def test_questions_one_after_the_other_share_one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(["/only"], 8, monkeypatch)[2] == 1


def test_a_connection_that_fails_takes_no_room_away() -> None:
    async def run() -> int:
        client = Asking(f"http://127.0.0.1:{free_port()}")
        failures = await asyncio.gather(*(client.get("/") for _ in range(200)), return_exceptions=True)
        await client.close()
        return sum(isinstance(failure, httpx.ConnectError) for failure in failures)

    assert asyncio.run(run()) == 200
