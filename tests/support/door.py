"""The API of an installation of its own, in this process: called without a socket, or listening on one."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import httpx
import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI

from safelight.api.application import create_app
from safelight.api.patience import Patient
from safelight.api.sockets import Sockets
from safelight.app import Safelight, loop_factory
from safelight.domain.jobs import TERMINAL
from safelight.events.follow import follow
from safelight.settings import load_settings
from safelight.store import tables
from safelight.store.statements import Change, Query
from safelight.store.tx import Tx

T = TypeVar("T")
PATIENCE_S = 30.0
COMMENT_EVERY_S = 0.5
BASE = "http://127.0.0.1"
SMALL_BUFFER_BYTES = 4_096
"""So that a reader who does not read is felt by the server soon."""


class Door:
    """An open installation without a worker, its event loop in a thread of its own.

    `get` and `post` call the application directly; jobs wait until `working()` or a test moves them.
    """

    def __init__(
        self,
        folder: Path,
        database_url: str,
        change: Callable[[FastAPI], None] | None = None,
        public_url: str = "",
        storage_url: str = "",
        api_keys: str = "",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        environ = {
            **(environ or {}),
            "SAFELIGHT_DATA_DIR": str(folder / "data"),
            "SAFELIGHT_DATABASE_URL": database_url,
            "SAFELIGHT_PUBLIC_URL": public_url,
            "SAFELIGHT_STORAGE_URL": storage_url,
            "SAFELIGHT_API_KEYS": api_keys,
        }
        self.settings = load_settings(environ, cwd=folder)
        self._loop = (loop_factory() or asyncio.new_event_loop)()
        self._thread = threading.Thread(target=self._loop.run_forever, name="door", daemon=True)
        self._thread.start()
        self.safelight = self.run(Safelight.open(self.settings))
        self.safelight.checkup._keep_s = 0.0  # tests change what is the case, and ask at once
        self.app = create_app(self.safelight, comment_every_s=COMMENT_EVERY_S)
        if change:
            change(self.app)
        self._server: _Server | None = None
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=BASE)

    def close(self) -> None:
        self.run(self._client.aclose())
        self.run(self.safelight.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of work on the installation's own event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.run(self._client.request(method, path, **options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)

    def at_once(self, method: str, paths: Sequence[str], **options: Any) -> list[httpx.Response]:
        """The answers to requests made at the same moment, in order."""

        async def gathered() -> list[httpx.Response]:
            return await asyncio.gather(*(self._client.request(method, path, **options) for path in paths))

        return self.run(gathered())

    def submit(self, prompt: str = "a lighthouse at dusk", **fields: Any) -> dict[str, Any]:
        """The body of a new job of 256 by 256 pixels."""
        params = {"width": 256, "height": 256, "seed": 7, **fields.pop("params", {})}
        answer = self.post("/api/jobs", json={"kind": "image", "prompt": prompt, "params": params, **fields})
        assert answer.status_code == 202, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def submit_many(self, n: int) -> list[dict[str, Any]]:
        """The bodies of jobs submitted at the same moment."""
        answers = self.at_once("POST", ["/api/jobs"] * n, json={"kind": "image", "prompt": "one of many"})
        assert {answer.status_code for answer in answers} == {202}
        return [answer.json() for answer in answers]

    def oldest_first(self, job_ids: Sequence[str]) -> list[str]:
        """The same ids in the order in which the database took the jobs."""
        numbers = {row.id: row.number for row in self.run(self.safelight.database.read(_numbers))}
        return sorted(job_ids, key=numbers.__getitem__)

    def show(self, job_id: str) -> dict[str, Any]:
        body: dict[str, Any] = self.get(f"/api/jobs/{job_id}").json()
        return body

    def give_away(self, job_id: str) -> None:
        """Make it a job of another user."""
        self._change(job_id, user_id="somebody")

    def hide(self, job_id: str) -> None:
        """As if its user had just removed it."""
        self._change(job_id, pruning_at=tables.jobs.c.created_at)

    def make_older(self, job_id: str, age_s: float) -> None:
        """As if it had been submitted that many seconds before it was."""
        self._change(job_id, created_at=tables.jobs.c.created_at - age_s)

    def _change(self, job_id: str, **values: Any) -> None:
        change = Change(sa.update(tables.jobs).where(tables.jobs.c.id == sa.bindparam("public_id")).values(**values))

        def run(tx: Tx) -> int:
            return tx.run(change, public_id=job_id)

        assert self.run(self.safelight.database.write(run)) == 1

    @contextmanager
    def working(self) -> Iterator[None]:
        """A worker runs while the block lasts."""
        process = self.run(self.safelight.start_process(self.safelight.role("api+worker", slots=4)))
        try:
            yield
        finally:
            self.run(process.drain())
            self.run(process.stop())

    def until(self, job_id: str, event_type: str) -> None:
        """Return at the first event of that type, or at the last of all."""
        self.run(_until(self.safelight, job_id, event_type))

    def until_ended(self, job_id: str) -> dict[str, Any]:
        """The body of a job that a worker ends."""
        self.until(job_id, "the end")
        body = self.show(job_id)
        assert body["status"] in TERMINAL
        return body

    def watchers(self, job_id: str) -> int:
        """How many wait for news of the job."""
        return len(self.safelight.hub._waiters.get(f"job:{job_id}", ()))

    def until_nobody_watches(self, job_id: str) -> bool:
        """Whether the last one has gone before patience ends."""
        return self.until_watched_by(job_id, 0)

    def until_watched_by(self, job_id: str, most: int) -> bool:
        """Whether no more than so many are left before patience ends."""

        async def empty() -> bool:
            async with asyncio.timeout(PATIENCE_S):
                while self.watchers(job_id) > most:  # noqa: ASYNC110 - a hub tells nobody when a waiter leaves
                    await asyncio.sleep(0.01)
            return True

        return self.run(empty())

    def stop_listening(self) -> None:
        """As when the process is asked to end; `listening` waits for it."""
        assert self._server is not None
        self._server.should_exit = True

    @contextmanager
    def listening(self) -> Iterator[str]:
        """The base URL of the same application on a real socket."""
        server = _Server(
            uvicorn.Config(
                self.app, log_config=None, lifespan="off", http=Patient, ws=Sockets, timeout_graceful_shutdown=1
            )
        )
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER_BYTES)
            serving = asyncio.run_coroutine_threadsafe(server.serve(sockets=[listener]), self._loop)
            assert server.up.wait(PATIENCE_S)
            self._server = server
            try:
                yield f"{BASE}:{listener.getsockname()[1]}"
            finally:
                server.should_exit = True
                serving.result(PATIENCE_S)


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


class _Number(NamedTuple):
    number: int
    id: str


def _numbers(tx: Tx) -> list[_Number]:
    return tx.all(Query(sa.select(tables.jobs.c.number, tables.jobs.c.id), _Number))


async def _until(safelight: Safelight, job_id: str, event_type: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        async for envelope in follow(safelight.feeds, job_id, 0):
            if envelope is not None and (envelope.is_last or envelope.type == event_type):
                return
