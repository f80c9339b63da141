"""Serve: API, and a worker unless told otherwise, in one process on one address."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress

import structlog
import uvicorn

from safelight import __version__
from safelight.api.application import create_app
from safelight.api.middleware import loopback_host
from safelight.api.patience import patient
from safelight.api.proxies import read_networks
from safelight.api.sockets import Sockets
from safelight.api.strict import LARGEST_BODY_BYTES
from safelight.app import Safelight, loop_factory, stop_signal
from safelight.domain.errors import BadSettings, Remedy
from safelight.settings import Settings
from safelight.store.arrival import until_it_answers
from safelight.telemetry.logs import configure_logging

log = structlog.get_logger(__name__)

LAST_WORDS_S = 2
"""How long open connections may take to end when the server stops."""

OnReady = Callable[[str], Awaitable[None]]


def serve(settings: Settings, *, with_worker: bool = True, on_ready: OnReady | None = None) -> int:
    """Serve until SIGTERM or Ctrl-C, then drain. `on_ready` is called with the URL. Returns the exit code."""
    configure_logging(settings.log_format, settings.log_level)
    listening = _listen(settings)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_serve(settings, listening, with_worker, on_ready))


async def _serve(settings: Settings, listening: socket.socket, with_worker: bool, on_ready: OnReady | None) -> int:
    await until_it_answers(settings.database_address)
    stop = stop_signal()
    url = _url(settings, listening)
    async with AsyncExitStack() as stack:
        safelight = await stack.enter_async_context(Safelight.opened(settings))
        await _refuse_open_house(safelight)
        await stack.enter_async_context(_listening(safelight, listening))
        slots = settings.worker_concurrency if with_worker else 0
        role = safelight.role("api+worker" if with_worker else "api", slots=slots, url=url)
        process = await safelight.start_process(role)
        log.info("server.ready", url=url, version=__version__, slots=slots)
        greeting = asyncio.create_task(_greet(on_ready, url))
        await stop.wait()
        log.info("server.stopping")
        greeting.cancel()
        await process.drain()
        safelight.stopping = True
        safelight.hub.wake_for_the_last_time()
        await process.stop()
    log.info("server.stopped")
    return 1 if process.failed else 0


@asynccontextmanager
async def _listening(safelight: Safelight, listening: socket.socket) -> AsyncIterator[None]:
    """Answer requests while the block lasts."""
    config = uvicorn.Config(
        create_app(safelight),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,
        http=patient(read_networks(safelight.settings.trusted_proxies)),
        timeout_graceful_shutdown=LAST_WORDS_S,
        ws=Sockets,
        ws_max_size=LARGEST_BODY_BYTES,
        ws_per_message_deflate=False,  # news is short, and each compressor would hold more memory than its client
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    listens = asyncio.create_task(server.listens.wait())
    await asyncio.wait({task, listens}, return_when=asyncio.FIRST_COMPLETED)
    listens.cancel()
    task.add_done_callback(_report_death)
    try:
        yield
    finally:
        server.should_exit = True
        await task


def _report_death(task: asyncio.Task[None]) -> None:
    """A server that answers nobody must not look alive."""
    if not task.cancelled() and (error := task.exception()):
        log.critical("server_died", exc_info=error)
        signal.raise_signal(signal.SIGTERM)


class _Server(uvicorn.Server):
    """Leaves signals to us: the worker drains before the server stops answering."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _greet(on_ready: OnReady | None, url: str) -> None:
    if on_ready is None:
        return
    with suppress(asyncio.CancelledError):
        try:
            await on_ready(url)
        except Exception:  # a greeting is never worth the server
            log.exception("greeting_failed")


def _listen(settings: Settings) -> socket.socket:
    """Take the port first: everything else is worth nothing without it."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        raise BadSettings(
            f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}.",
            remedy=Remedy("Stop what uses that port, or take another.", f"SAFELIGHT_PORT={settings.port + 1}"),
        ) from error


async def _refuse_open_house(safelight: Safelight) -> None:
    """Without a key everybody who can reach us may do everything. Raises BadSettings where others can."""
    host = safelight.settings.host
    if loopback_host(f"[{host}]" if ":" in host else host) or not await safelight.keyring.is_local():
        return
    raise BadSettings(
        f"There is no API key yet, and without one Safelight will not listen on {host!r}, where others could reach it.",
        remedy=Remedy(
            "Make a key, give one in SAFELIGHT_API_KEYS (key:user:jobs+read+admin), or listen on 127.0.0.1 only.",
            "safelight keys create --scope jobs+read+admin",
        ),
    )


def _url(settings: Settings, listening: socket.socket) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{listening.getsockname()[1]}"
