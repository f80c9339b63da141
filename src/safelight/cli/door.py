"""The way to the jobs: the server that is configured, else one that runs here, else this very process.

Without a server the API application answers from inside this process, over the same database. It is
the same code that a server runs, so a job handed in here is the same job.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from safelight.cli.beacon import beacons, database_file
from safelight.cli.load import load
from safelight.client import Client, ServerUnreachable
from safelight.domain.errors import NotFound, Remedy

if TYPE_CHECKING:
    from safelight.app import Safelight
    from safelight.settings import Settings


@dataclass(frozen=True)
class Door:
    """`serves`: a server stands behind the client; without one, links work only once one is started."""

    client: Client
    serves: bool
    has_worker: Callable[[], Awaitable[bool]]


@asynccontextmanager
async def opened(*, creates: bool = False) -> AsyncIterator[Door]:
    """Open the nearest door. Without `creates`, a place where no database is yet raises NotFound.

    `SAFELIGHT_URL` decides, where it is set; `SAFELIGHT_API_KEY` is shown to any server.
    """
    settings = load()
    if url := settings.url or await _living_server(settings):
        async with Client.connect(url, settings.api_key) as client:
            yield Door(client, serves=True, has_worker=_presumably)
        return
    if not creates:
        _insist_on_a_database(settings)
    async with _in_process(settings) as door:
        yield door


async def _living_server(settings: Settings) -> str | None:
    """A beat may outlive its server: only one that answers counts."""
    for url in beacons(settings):
        try:
            async with Client.connect(url) as client:
                await client.live()
        except ServerUnreachable:
            continue
        return url
    return None


async def _presumably() -> bool:
    """A server knows of its workers what we do not; it tells in the job's body."""
    return True


def _insist_on_a_database(settings: Settings) -> None:
    """Looking must not make an empty database, least of all in a folder entered by mistake."""
    path = database_file(settings)
    if path is not None and not path.exists():
        raise NotFound(
            f"There is no database at {path}.",
            remedy=Remedy("Start the server, or go to the folder in which it was started.", "safelight serve"),
        )


@asynccontextmanager
async def _in_process(settings: Settings) -> AsyncIterator[Door]:
    from safelight.api.application import create_app
    from safelight.app import Safelight
    from safelight.telemetry.logs import configure_logging

    configure_logging(level="warning")
    base = f"http://127.0.0.1:{settings.port}"
    headers = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
    async with Safelight.opened(settings) as safelight:
        # Only our own address leads inside: a signed link into an object store is fetched over the network.
        inside = {base: httpx.ASGITransport(create_app(safelight), raise_app_exceptions=False)}
        async with httpx.AsyncClient(base_url=base, headers=headers, mounts=inside) as http:
            yield Door(Client(http, streams=False), serves=False, has_worker=lambda: _has_worker(safelight))


async def _has_worker(safelight: Safelight) -> bool:
    """Whether a process beats that claims jobs."""
    from safelight.services.presence import Process, processes
    from safelight.store.tx import Tx

    def beating(tx: Tx) -> list[Process]:
        since = tx.now - safelight.settings.lease_seconds
        return [p for p in processes(tx) if p.slots and not p.draining and p.lost_at is None and p.beat_at > since]

    return bool(await safelight.database.read(beating))
