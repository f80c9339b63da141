"""The way to the jobs: the server that is configured, else one that runs here, else this very process.

Without a server the API application answers from inside this process, over the same database. It is
the same code that a server runs, so a job handed in here is the same job.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from safelight.cli import when
from safelight.cli.load import load
from safelight.client import Client, ClientError, ServerUnreachable
from safelight.domain.errors import NotFound, Remedy

if TYPE_CHECKING:
    from safelight.settings import Settings


@dataclass(frozen=True)
class Door:
    """`serves`: a server stands behind the client; without one, links work only once one is started."""

    client: Client
    serves: bool
    stale_after_s: float

    async def has_worker(self, queue: str) -> bool:
        """Whether somebody runs the jobs of this queue. Taken to be so where a key may not ask."""
        try:
            workers = await self.client.workers()
        except ClientError:
            return True
        return any(w["status"] == "online" and w["slots"] and queue in w["queues"] for w in workers if self._beats(w))

    def _beats(self, worker: dict[str, Any]) -> bool:
        """A server declares who is lost. Without one nobody does, and only the age of the beat tells."""
        return self.serves or when.since_s(worker["lastHeartbeat"], when.now()) <= self.stale_after_s


@asynccontextmanager
async def opened() -> AsyncIterator[Door]:
    """Open the nearest door. A place where no database is yet raises NotFound.

    `SAFELIGHT_URL` decides, where it is set; `SAFELIGHT_API_KEY` is shown to any server. Without a key the operator of
    the machine does not stand before a server that asks for one: whoever can read its database needs no key.
    """
    settings = load()
    url = settings.url or await _living_server(settings)
    if not url:
        _insist_on_a_database(settings)
    async with Client.connect(url, settings.api_key) if url else _in_process(settings) as client:
        yield Door(client, serves=url is not None, stale_after_s=settings.lease_seconds)


async def _living_server(settings: Settings) -> str | None:
    """A beat may outlive its server: only one that answers counts."""
    from safelight.worker.servers import find_servers

    for url in find_servers(settings.database_address, settings.lease_seconds):
        try:
            async with Client.connect(url) as client:
                await client.live()
                asks_for_keys = settings.api_key is None and await _asks_for_keys(client)
        except ServerUnreachable:
            continue
        return None if asks_for_keys else url
    return None


async def _asks_for_keys(client: Client) -> bool:
    try:
        return bool((await client.session())["mode"] == "keyed")
    except ServerUnreachable:
        raise
    except ClientError:  # an earlier release, which knows no keys
        return False


def _insist_on_a_database(settings: Settings) -> None:
    """A folder entered by mistake must not get a database of its own, in which jobs then wait for ever."""
    from safelight.store.connect import sqlite_path

    path = sqlite_path(settings.database_address)
    if path is not None and not path.exists():
        raise NotFound(
            f"There is no database at {path}.",
            remedy=Remedy("Start the server, or go to the folder in which it was started.", "safelight serve"),
        )


@asynccontextmanager
async def _in_process(settings: Settings) -> AsyncIterator[Client]:
    from safelight.api.application import create_app
    from safelight.app import Safelight
    from safelight.store.connect import sqlite_path
    from safelight.telemetry.logs import configure_logging

    configure_logging(level="warning")
    ours = sqlite_path(settings.database_address) is not None  # a Postgres may serve others, who run an older release
    base = f"http://127.0.0.1:{settings.port}"
    headers = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
    async with Safelight.opened(settings, upgrade=ours) as safelight:
        await safelight.reach_peers()
        # Only our own address leads inside: a signed link into an object store is fetched over the network.
        app = create_app(safelight, trusted=settings.api_key is None)
        inside = {base: httpx.ASGITransport(app, raise_app_exceptions=False)}
        async with httpx.AsyncClient(base_url=base, headers=headers, mounts=inside) as http:
            yield Client(http, streams=False)
