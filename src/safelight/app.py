"""The composition root: it puts the parts together. Which adapters there are is `adapters.py`'s."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import cast

import structlog

from safelight.adapters import Adapters, adapters
from safelight.catalog.catalog import Catalog
from safelight.catalog.loading import load_catalog
from safelight.diagnosis.checkup import Checkup
from safelight.diagnosis.explain.look_job import Onlooking
from safelight.diagnosis.facts import MachineFacts, Trouble
from safelight.diagnosis.gather_storage import free_bytes
from safelight.diagnosis.sources import Sources, no_hindrance, tolls_of
from safelight.domain.clock import local_s
from safelight.domain.errors import BadSettings, Remedy, StorageFailed, Unavailable
from safelight.events.feeds import Feeds
from safelight.events.hub import Hub
from safelight.maintenance.expired_uploads import ExpiredUploads
from safelight.maintenance.local_credits import keep_in_credits
from safelight.maintenance.lost import LostWatch, Machine
from safelight.maintenance.pruner import Pruner
from safelight.maintenance.recoverer import Recoverer
from safelight.maintenance.sweeper import Sweeper, SweepRules
from safelight.maintenance.webhooks import Webhooks
from safelight.net.guarded import Guarded
from safelight.providers.callbacks import callback_url, can_be_reached
from safelight.providers.protocol import Provider
from safelight.queues.nudger import Nudger
from safelight.queues.nudges import Nudges
from safelight.services.again import Again
from safelight.services.api_keys import any_was_made
from safelight.services.caps import CapBook, Caps
from safelight.services.closing_time import ClosingTime
from safelight.services.desk import Desk
from safelight.services.installation import open_queues, shared_secret
from safelight.services.intake import Intake, IntakeRules
from safelight.services.job_body import Links
from safelight.services.keyring import KeyRing
from safelight.services.memory import Memory
from safelight.services.outlook import Lookout
from safelight.services.prepare import Limits
from safelight.services.presence import addresses, processes
from safelight.services.screening import GROUP, NamedHook, PromptHook, Screen
from safelight.services.terms_of_users import TermsOfUsers
from safelight.services.word_list import read_word_list
from safelight.settings import Problem, Settings
from safelight.storage import images, signing
from safelight.storage.assets import AssetStore
from safelight.storage.troubles import Trouble as StorageTrouble
from safelight.store import migrate
from safelight.store.arrival import until_it_is_upgraded
from safelight.store.connect import open_database
from safelight.store.database import Database
from safelight.store.statements import compile_all
from safelight.telemetry.logs import configure_logging
from safelight.worker import machine
from safelight.worker.bench import Bench, Rules
from safelight.worker.drain import drain_limit_s
from safelight.worker.fetching import Fetching
from safelight.worker.metrics_server import serve_metrics
from safelight.worker.presence import Presence, Role
from safelight.worker.process import Rhythm, RunningProcess
from safelight.worker.runner import Runner
from safelight.worker.servers import is_live

log = structlog.get_logger(__name__)

INCOMING_BYTES = 512 * 2**20
"""Of pictures on their way in that one process holds in memory."""


class Safelight:
    """One open installation: its database, storage, catalog and desk. `start_process` brings it to life."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        catalog: Catalog,
        store: AssetStore,
        secret: str,
        found: Adapters,
        *,
        was_keyed: bool = False,
    ) -> None:
        self.settings, self.database, self.catalog, self.store = settings, database, catalog, store
        self.secret = secret.encode()
        self.keyring = KeyRing(database, settings.given_keys, self.secret, was_keyed=was_keyed)
        self.providers, self._places = found.usable, found.places
        self.guarded = Guarded(exempt=frozenset(settings.allow_private_hosts))
        self.hub = Hub()
        self.feeds = Feeds(database, self.hub)
        self.nudges = nudger_for(database, self.hub)
        self.started_at = local_s()
        self.stopping = False
        self.files_origin: str | None = None
        """`https://host` of an object store that hands out files by itself, once this process has looked at it."""
        self.presence: Presence | None = None
        self._warming: list[asyncio.Task[None]] = []
        database.waker = self.nudges.announce
        self.caps = CapBook(Caps(settings.user_running_limit, catalog.running_caps))
        self.checkup = Checkup(sources(settings, catalog, found, asks=False, hindrance=database.hindrance))
        self.pruner = Pruner(database, self.store, settings.keep_s)
        self.desk = Desk(
            database=database,
            catalog=catalog,
            lookout=Lookout(database, found.usable, found.missing),
            terms=TermsOfUsers(database, catalog),
            limits=Limits(
                settings.max_wait_seconds, settings.batch_max_wait_seconds, _run_limits(settings), settings.rate
            ),
            links_for=self.links_for,
            intake=Intake(database, store, self.guarded, _intake_rules(settings), Memory(INCOMING_BYTES)),
            free_bytes=store.free_disk_bytes,
            closing_time=ClosingTime(database),
            screen=screen(settings),
        )

    @property
    def runs_jobs(self) -> bool:
        """Whether this very process has slots."""
        return self.presence is not None and self.presence.slots > 0

    @classmethod
    async def open(cls, settings: Settings, *, upgrade: bool = True) -> Safelight:
        """Open everything. With `upgrade` the schema is brought up to date, else an old one raises NotMigrated."""
        catalog = load_catalog(settings.catalog)
        await asyncio.to_thread(migrate.ensure, settings.database_address, upgrade=upgrade)
        database = open_database(settings.database_address)
        database.start()
        try:
            secret = settings.secret
            if secret is None:
                secret = await database.write(shared_secret, secrets.token_urlsafe(32))
            await database.write(open_queues, [model.queue for model in catalog.models])
            store = AssetStore(settings.storage_address)
            was_keyed = await database.read(any_was_made)
            opened = cls(settings, database, catalog, store, secret, adapters(settings), was_keyed=was_keyed)
            await opened.refill()
            return opened
        except BaseException:
            await database.stop()
            raise

    @classmethod
    @asynccontextmanager
    async def opened(cls, settings: Settings, *, upgrade: bool = True) -> AsyncIterator[Safelight]:
        """`open` and `close` around a block."""
        safelight = await cls.open(settings, upgrade=upgrade)
        try:
            yield safelight
        finally:
            await safelight.close()

    async def refill(self) -> None:
        """In local mode, and only there, nobody runs out of credits."""
        if await self.keyring.is_local():
            await keep_in_credits(self.database)

    async def reach_peers(self) -> None:
        """Be able to nudge the processes that are there, without being one: for the command line."""
        await self.nudges.open()
        found = await self.database.read(processes)
        self.nudges.set_peers(addresses(found, host=machine.host_name(), boot_id=machine.boot_id()))

    async def close(self) -> None:
        """Let go of everything that `open` took."""
        self.stopping = True
        self.hub.wake_for_the_last_time()
        self.nudges.close()
        for warming in self._warming:
            warming.cancel()
        closing = [provider.close() for provider in self.providers.values()]
        for result in await asyncio.gather(*closing, return_exceptions=True):
            if isinstance(result, BaseException):
                log.warning("provider_not_closed", error=repr(result))
        await self.database.stop()

    async def start_process(self, role: Role) -> RunningProcess:
        """Begin to beat and sweep, and to claim if the role has slots."""
        machine.raise_open_files()
        await self._look_at_storage()
        await self.nudges.open()
        settings = self.settings
        runner: Runner | None = None
        self.presence = Presence(
            self.database,
            role,
            lease_s=settings.lease_seconds,
            nudge_address=self.nudges.address,
            busy=lambda: runner.busy if runner else 0,
            sweeps=lambda: sweeper.sweeps_n,
        )
        if role.slots:
            bench = Bench(
                self.database,
                self.hub,
                self.store,
                self.catalog,
                self.providers,
                self.presence,
                rules=_rules(settings),
                caps=self.caps,
                callback_url=self._callback_url,
                fetching=self._fetching(),
            )
            runner = Runner(bench, queues=role.queues, slots=role.slots, drain_s=self._drain_s(role))
        rhythm = Rhythm(settings.lease_seconds, settings.sweep_seconds)
        process = RunningProcess(
            self.database, self.hub, self.nudges, self.presence, runner, rhythm, refill=self.refill
        )
        here = Machine(machine.host_name(), machine.boot_id(), machine.is_gone)
        watch = LostWatch(here, settings.lease_seconds)
        presence = self.presence
        rules = SweepRules(settings.lease_seconds, self.caps)
        recoverer = Recoverer(self.database, Again(self.desk))
        sweeper = Sweeper(
            self.database, watch, rules, seen=process.meet, beats=lambda: presence.lease_held, recoverer=recoverer
        )
        webhooks = Webhooks(self.database, self.desk, self.guarded, base=role.url)
        await process.start(sweeper, self.pruner, ExpiredUploads(self.database, self.store), webhooks)
        works: list[Awaitable[None]] = [asyncio.to_thread(self.catalog.warm_up)]
        if role.slots:
            works += [provider.warm_up() for provider in self.providers.values()]
            works += [asyncio.to_thread(compile_all, self.database.dialect), asyncio.to_thread(images.warm_up)]
        self._warming = [asyncio.create_task(_warm_up(works))]
        return process

    def _fetching(self) -> Fetching:
        """Files on their way go where the data is, because a system's temporary folder may be in memory."""
        settings = self.settings
        folder = settings.data_dir / "incoming"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            log.info("incoming_elsewhere", folder=str(folder), error=str(error))
            folder = Path(tempfile.gettempdir())
        return Fetching(self.guarded, self._places, folder, settings.image_max_bytes, settings.video_max_bytes)

    async def _look_at_storage(self) -> None:
        """A store that does not let us in keeps a process from starting; one that is away may come back."""
        if self.settings.storage_redirect:
            with suppress(StorageFailed):  # what is wrong with it the check tells
                self.files_origin = await self.store.origin()
        try:
            await self.store.check()
        except StorageFailed as error:
            if error.evidence["trouble"] != StorageTrouble.FAILED:
                raise
            log.warning("storage_away", error=error.what, remedy=str(error.remedy))

    def role(self, name: str, *, queues: Sequence[str] | None = None, slots: int = 0, url: str | None = None) -> Role:
        """A role of this installation; without `queues` it serves all of the catalog's."""
        known = {model.queue for model in self.catalog.models}
        served = sorted(known if queues is None else set(queues))
        if unknown := sorted(set(served) - known):
            raise BadSettings(
                f"No model of the catalog uses queue {unknown[0]!r}.",
                remedy=Remedy(f"Serve one of: {', '.join(sorted(known))}.", "safelight models"),
            )
        mine = tuple(served) if slots else ()
        return Role(name, mine, tuple(sorted(self.providers)), slots, url, kinds=self._kinds_of(mine))

    def _callback_url(self, provider: str, call_id: str) -> str | None:
        """Where a provider may announce a call; None where it could not reach us."""
        base = self.settings.public_url
        if base is None or not can_be_reached(base, self.settings.allow_private_hosts):
            return None
        return callback_url(self.secret, base, provider, call_id)

    def _drain_s(self, role: Role) -> float:
        if (configured := self.settings.drain_seconds) is not None:
            return configured
        return drain_limit_s(self.catalog.models, role.queues, self.providers, _run_limits(self.settings))

    def _kinds_of(self, queues: Sequence[str]) -> tuple[str, ...]:
        """What can be made of the jobs in these queues with the providers set up here."""
        models = (m for m in self.catalog.models if m.queue in queues and any(map(m.route_at, self.providers)))
        return tuple(sorted({model.kind for model in models}))

    def links_for(self, base: str) -> Links:
        """Signed links under the public URL, or under the base of the request."""
        root = (self.settings.public_url or base).rstrip("/")
        expires_at = signing.expiry(datetime.now(UTC).timestamp())

        def signed(path: str) -> str:
            return signing.signed_url(self.secret, base=root, path=path, expires_at=expires_at)

        return Links(
            base=root,
            socket=self.settings.socket_url or f"ws{root.removeprefix('http')}/api/ws",
            asset=lambda asset: signed(f"/api/assets/{asset}"),
            upload=lambda upload: signed(f"/api/uploads/{upload}/file"),
            thumbnail=lambda asset: signed(f"/api/assets/{asset}/thumbnail"),
            cover=lambda job: signed(f"/api/avatar-creator/avatars/{job}/thumbnail"),
            preview=lambda job, sequence: signed(f"/api/jobs/{job}/previews/{sequence}"),
        )


def sources(
    settings: Settings,
    catalog: Catalog,
    found: Adapters,
    *,
    problems: Sequence[Problem] = (),
    catalog_trouble: Trouble | None = None,
    asks: bool = True,
    hindrance: Callable[[], BaseException | None] = no_hindrance,
) -> Sources:
    """Where facts about an installation come from, as seen from this process."""
    return Sources(
        settings,
        catalog,
        found.usable,
        found.missing,
        is_live=partial(is_live, lease_s=settings.lease_seconds),
        machine=lambda: MachineFacts(machine.host_name(), machine.memory_bytes(), time.time()),
        problems=tuple(problems),
        catalog_trouble=catalog_trouble,
        asks=asks,
        hindrance=hindrance,
    )


def onlooking(safelight: Safelight) -> Onlooking:
    """What this process knows of its installation beside the rows, for whoever explains a job."""
    free = None
    with suppress(Unavailable):
        free = safelight.desk.free_disk_bytes()
    return _onlooking(safelight.settings, safelight.catalog, safelight.providers, safelight.desk.lookout.missing, free)


def onlooking_from(settings: Settings) -> Onlooking:
    """The same for the command line, which opens nothing but the database."""
    found = adapters(settings)
    return _onlooking(settings, load_catalog(settings.catalog), found.usable, found.missing, free_bytes(settings))


def _onlooking(
    settings: Settings,
    catalog: Catalog,
    providers: Mapping[str, Provider],
    missing: Mapping[str, str],
    free_bytes: int | None,
) -> Onlooking:
    return Onlooking(
        catalog,
        tolls_of(providers, catalog, settings.daily_spend_usd),
        missing,
        is_live=partial(is_live, lease_s=settings.lease_seconds),
        lease_s=settings.lease_seconds,
        sweep_s=settings.sweep_seconds,
        free_bytes=free_bytes,
    )


def screen(settings: Settings) -> Screen:
    """The prompt hooks in force: the operator's word list, and those of installed packages. Raises BadSettings."""
    words = [NamedHook("refused words", read_word_list(settings.refused_words))] if settings.refused_words else []
    installed = [NamedHook(entry.name, _loaded(entry)) for entry in entry_points(group=GROUP)]
    return Screen((*words, *installed), settings.prompt_hook_failure)


def _loaded(entry: EntryPoint) -> PromptHook:
    """A check that was installed and cannot be made must not be left out in silence."""
    try:
        hook: PromptHook = entry.load()
    except Exception as error:  # foreign code
        raise BadSettings(
            f"The prompt hook {entry.name!r} ({entry.value}) cannot be loaded: {type(error).__name__}: {error}.",
            remedy=Remedy("Correct or uninstall the package that offers it."),
        ) from error
    return hook


def nudger_for(database: Database, hub: Hub) -> Nudger:
    """Datagrams reach the processes of one machine, all that SQLite can have; NOTIFY reaches those of many."""
    if database.dialect != "postgresql":
        return Nudges(hub)
    from safelight.queues.notices import Notices
    from safelight.store.postgres import PostgresDatabase

    return Notices(hub, cast(PostgresDatabase, database).connect)


def _intake_rules(settings: Settings) -> IntakeRules:
    return IntakeRules(
        most_bytes=settings.upload_max_bytes,
        most_pixels=settings.upload_max_pixels,
        quota_bytes=settings.upload_quota_bytes,
        public_url=settings.public_url,
    )


def _rules(settings: Settings) -> Rules:
    return Rules(
        unknown=settings.unknown_calls,
        reconcile_s=settings.reconcile_seconds,
        daily_spend_usd=settings.daily_spend_usd,
    )


def run_worker(
    settings: Settings, *, queues: list[str] | None, concurrency: int | None, metrics_port: int | None = None
) -> int:
    """Run a worker process until SIGTERM or Ctrl-C, then drain. Returns the exit code."""
    configure_logging(settings.log_format, settings.log_level)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return runner.run(_work(settings, queues, concurrency, metrics_port))


async def _work(settings: Settings, queues: list[str] | None, concurrency: int | None, metrics_port: int | None) -> int:
    await until_it_is_upgraded(settings.database_address)
    stop = stop_signal()
    async with Safelight.opened(settings, upgrade=False) as safelight:
        role = safelight.role("worker", queues=queues, slots=concurrency or settings.worker_concurrency)
        if metrics_port is not None:
            await serve_metrics(safelight.database, "127.0.0.1", metrics_port)  # it asks nobody for a key
        process = await safelight.start_process(role)
        log.info("worker.started", queues=list(role.queues), slots=role.slots, pid=os.getpid())
        await stop.wait()
        await process.drain()
        await process.stop()
    log.info("worker.stopped")
    return 1 if process.failed else 0


def stop_signal() -> asyncio.Event:
    """Set at the first SIGTERM or Ctrl-C; the second ends the process at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    return stop


def loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed: about a quarter faster."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.Loop


async def _warm_up(works: Iterable[Awaitable[None]]) -> None:
    await asyncio.gather(*map(_try_to, works))
    machine.settle_memory()


async def _try_to(warm_up: Awaitable[None]) -> None:
    """Getting ready early is a favour; what cannot be got ready will say so when it is used."""
    try:
        await warm_up
    except Exception as error:  # an adapter's own
        log.warning("warm_up_failed", error=repr(error))


def _run_limits(settings: Settings) -> dict[str, float]:
    return {
        "image": settings.deadline_image_seconds,
        "video": settings.deadline_video_seconds,
        "text": settings.deadline_text_seconds,
        "upscale": settings.deadline_upscale_seconds,
    }
