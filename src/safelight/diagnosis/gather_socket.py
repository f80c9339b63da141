"""Open the socket of live updates as a browser would, far enough to know that a Safelight answers there."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidStatus

from safelight.diagnosis.facts import Rows, SocketFacts
from safelight.services.own_urls import is_loopback
from safelight.settings import Settings

CLOSES_WITHIN_S = 0.3
ASKS_FOR_A_KEY = frozenset({401, 403})
"""Whoever answers so is there."""


class Where(NamedTuple):
    """`configured`: a setting names it; else it is the address of a server that beats."""

    url: str
    configured: bool
    trouble: str | None = None
    server_url: str | None = None


def socket_of(settings: Settings, rows: Rows | None, host: str) -> Where | None:
    """Nothing is expected to answer while no server beats. Other machines' loopback cannot be tried from here."""
    servers = [w.process for w in rows.live if w.process.url] if rows else []
    near = [p.url for p in servers if p.url and (p.host == host or not is_loopback(urlsplit(p.url).hostname or ""))]
    if not servers:
        return None
    server = near[-1] if near else None
    if settings.socket_url:
        return Where(settings.socket_url, True, None, server)
    return Where(f"ws{server.removeprefix('http').rstrip('/')}/api/ws", False, None, server) if server else None


async def try_socket(where: Where, within_s: float) -> SocketFacts:
    return SocketFacts(where.url, where.configured, await _trouble(where.url, within_s), where.server_url)


async def _trouble(url: str, within_s: float) -> str | None:
    try:
        async with connect(url, open_timeout=within_s, close_timeout=CLOSES_WITHIN_S, proxy=None):
            return None
    except InvalidStatus as error:
        status = error.response.status_code
        return None if status in ASKS_FOR_A_KEY else f"it answers with HTTP status {status} instead of a socket"
    except InvalidHandshake as error:
        return f"what answers there is no socket: {error}"
    except TimeoutError:
        return f"no answer within {within_s:.1f} s"
    except OSError as error:
        return error.strerror or str(error)
