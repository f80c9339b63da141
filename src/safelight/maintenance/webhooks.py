"""Send what callbacks are to be told. Any number of processes may: a delivery is taken before it is sent.

A receiver that hangs keeps one of this process's places for `WITHIN_S`, and then waits for its next try.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from safelight.domain.clock import as_rfc3339, local_s
from safelight.domain.errors import NotFound, SafelightError
from safelight.domain.jobs import LAST_EVENTS
from safelight.events import webhooks
from safelight.events.hub import Hub
from safelight.net.errors import FetchError
from safelight.net.guarded import Guarded
from safelight.net.posting import post
from safelight.services import deliveries, webhook_secrets
from safelight.services.deliveries import Message, Taken, Tried
from safelight.services.desk import Desk
from safelight.store.database import Database
from safelight.telemetry import metrics
from safelight.telemetry.spell import Spell

log = structlog.get_logger(__name__)

AT_ONCE = 64
WITHIN_S = 15.0
LOOK_EVERY_S = 1.0
"""How long a lost wake-up can delay a delivery, and how exactly its later tries are kept."""


class Webhooks:
    """`run_once` sends what is due now. `base` is what links begin with where the operator set no public URL."""

    def __init__(
        self,
        database: Database,
        desk: Desk,
        guarded: Guarded,
        *,
        base: str | None = None,
        within_s: float = WITHIN_S,
        new_secret: Callable[[], str] = webhooks.new_secret,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._desk, self._guarded = database, desk, guarded
        self._base, self._within_s, self._new_secret, self._clock = base, within_s, new_secret, clock
        self._sending: set[asyncio.Task[None]] = set()

    async def run_once(self) -> int:
        """How many were sent, whatever came of them. Returns when all of them were answered."""
        begun = await self._begin()
        await asyncio.gather(*self._sending)
        return begun

    async def run(self, hub: Hub) -> None:
        """For ever: as soon as an event is to be told, and when a later try is due."""
        spell = Spell(log, "webhooks_not_sent")
        try:
            with hub.waiting(deliveries.TOPIC) as waiter:
                while True:
                    waiter.clear()
                    try:
                        await self._begin()
                        spell.over()
                    except (OSError, SafelightError) as error:
                        spell.met(error)
                    await waiter.wait(LOOK_EVERY_S)
        finally:
            for task in self._sending:
                task.cancel()

    async def _begin(self) -> int:
        places = AT_ONCE - len(self._sending)
        if places <= 0 or not await self._database.read(deliveries.any_due):
            return 0
        taken = await self._database.write(deliveries.take_deliveries, places)
        for delivery in taken:
            task = asyncio.create_task(self._send(delivery), name=f"webhook {delivery.id}")
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return len(taken)

    async def _send(self, delivery: Taken) -> None:
        """Send and write down what came of it. What cannot be written down is sent again later."""
        try:
            tried = await self._try(delivery)
            metrics.WEBHOOK_TRIES.labels("delivered" if tried.is_delivered else "failed").inc()
            await self._database.write(deliveries.record_try, tried)
        except (OSError, SafelightError) as error:
            log.warning("webhook_not_recorded", delivery=delivery.id, error=str(error))

    async def _try(self, delivery: Taken) -> Tried:
        began_s = local_s()

        def tried(status: int | None, error: str | None = None, *, is_last: bool = False) -> Tried:
            return Tried(delivery.number, delivery.n, local_s() - began_s, status, error, is_last)

        message = await self._database.read(deliveries.message, delivery.job, delivery.sequence)
        if message is None:
            return tried(None, "The job was removed.", is_last=True)
        try:
            content = await self._content(delivery, message)
            signing = (await self._secrets(message.user_id)).all
            headers = webhooks.headers(delivery.id, self._clock(), content, signing)
            status = await post(self._guarded, delivery.url, content, headers=headers, within_s=self._within_s)
        except NotFound as error:
            return tried(None, error.what, is_last=True)
        except FetchError as error:
            return tried(None, str(error))
        return tried(status, None if 200 <= status < 300 else f"The receiver answered with status {status}.")

    async def _content(self, delivery: Taken, message: Message) -> bytes:
        """Written now, not when it happened: links in it are good for a day."""
        envelope = {
            "type": delivery.type,
            "job_id": message.job_id,
            "sequence": delivery.sequence,
            "at": as_rfc3339(message.at),
            "payload": await self._payload(delivery, message),
        }
        return webhooks.body(delivery.type, as_rfc3339(message.at), envelope)

    async def _payload(self, delivery: Taken, message: Message) -> Mapping[str, Any]:
        if delivery.type not in LAST_EVENTS:
            return message.details
        base = self._base or await self._database.read(deliveries.serving_address) or ""
        return self._desk.body(await self._desk.job(message.job_id, message.user_id), base)

    async def _secrets(self, user_id: str) -> webhook_secrets.Secrets:
        known = await self._database.read(webhook_secrets.known, user_id)
        if known is not None:
            return known
        return await self._database.write(webhook_secrets.ensure_secret, user_id, self._new_secret())
