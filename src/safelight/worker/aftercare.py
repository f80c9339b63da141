"""Looks after calls whose job has ended: stop or poll them, record how they end, keep what they bring.

One per worker process. It decides nothing about jobs: their users were answered and settled long ago.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import closing

import structlog

from safelight.domain.errors import SafelightError
from safelight.domain.outcomes import Done, Made, Pending, Rejected, RemoteState
from safelight.providers.protocol import Provider
from safelight.services import aftercare, calls
from safelight.services.aftercare import LeftCall
from safelight.services.assets import NewAsset
from safelight.services.calls import Accepted, CallOutcome
from safelight.services.late import Late, keep_late
from safelight.store.tx import Tx
from safelight.telemetry.spell import Spell
from safelight.worker.bench import Bench
from safelight.worker.deliver import Delivery
from safelight.worker.fetching import NotFetched
from safelight.worker.finishing import Origin, Spoiled
from safelight.worker.live_call import stopped_at_provider
from safelight.worker.looking import remote_id_of
from safelight.worker.stored import stored_before

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 5.0
AT_ONCE = 8
LOOK_WITHIN_S = 100.0
"""How long one look may take: the others that are due wait for it."""
STORE_WITHIN_S = 400.0
"""And how much longer if it brings files: a late film is as large as any."""
HOLD_S = LOOK_WITHIN_S + STORE_WITHIN_S + 20.0
"""How long others leave a call alone that one process looks after."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 15.0, 600.0


class Aftercare:
    """`run` goes on until it is cancelled; `run_once` looks after what is due now."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    async def run(self) -> None:
        """Look every few seconds, and at once when somebody says that there is something to look after."""
        spell = Spell(log, "aftercare_failed")
        with self._bench.hub.waiting("calls") as waiter:
            while True:
                waiter.clear()
                try:
                    while await self.run_once():
                        pass
                    spell.over()
                except (OSError, SafelightError) as error:
                    spell.met(error)
                await waiter.wait(LOOK_EVERY_S)

    async def run_once(self) -> int:
        """Look after the calls that are due, some at a time; how many there were."""
        database, providers = self._bench.database, sorted(self._bench.providers)
        if not await database.read(aftercare.any_due, providers):
            return 0
        due = await database.write(aftercare.take_due, providers, AT_ONCE, HOLD_S)
        await asyncio.gather(*map(self._look_after, due))
        return len(due)

    async def _look_after(self, call: LeftCall) -> None:
        """One look. If not even the time of the next can be written, that comes when `HOLD_S` is over."""
        try:
            if not await self._looked(call):
                await self._later(call)
        except Exception as error:  # the edge: one call's trouble must not stop the others
            log.warning("look_after_failed", call_id=call.id, error=f"{type(error).__name__}: {error}")

    async def _looked(self, call: LeftCall) -> bool:
        """Whether it is settled now. A look that fails or hangs proves nothing, but counts: looking ends some day."""
        try:
            async with asyncio.timeout(LOOK_WITHIN_S + STORE_WITHIN_S):
                return await self._settled(call)
        except Exception as error:  # the provider's own, or the storage's
            log.warning("look_failed", call_id=call.id, error=f"{type(error).__name__}: {error}")
            return False

    async def _settled(self, call: LeftCall) -> bool:
        if call.remote_id is not None:
            if call.checks_n == 1:
                await stopped_at_provider(self._provider(call), call.remote_id, self._bench.pace.cancel_within_s)
            return await self._record(call, await self._state_of(call, call.remote_id))
        files = await stored_before(self._bench.store, self._bench.fetching, _origin(self._bench, call))
        if files:
            outcome = CallOutcome(call.id, "succeeded")
            return await self._bench.database.write(_keep, Late(call.job, outcome, files))
        remote_id = await remote_id_of(self._bench, call)
        if remote_id is not None:
            await self._bench.database.write(calls.accepted, Accepted(call.id, remote_id))
        return remote_id is not None  # accepted: it is due again at once

    async def _state_of(self, call: LeftCall, remote_id: str) -> RemoteState:
        async with asyncio.timeout(LOOK_WITHIN_S):
            return await self._provider(call).poll(remote_id)

    async def _record(self, call: LeftCall, state: RemoteState) -> bool:
        database = self._bench.database
        match state:
            case Done(outputs, cost_usd, request_id=request_id):
                outcome = CallOutcome(call.id, "succeeded", cost_usd, request_id=request_id)
                late = Late(call.job, outcome, await self._stored(call, outputs))
                log.info("call.recovered", call_id=call.id, job_id=call.job_id, assets=len(late.assets))
                return await database.write(_keep, late)
            case Rejected(error):
                outcome = CallOutcome(call.id, "failed", error=error.message, request_id=error.request_id)
                return await database.write(calls.end_call, outcome)
            case Pending():
                return False

    async def _stored(self, call: LeftCall, outputs: tuple[Made, ...]) -> list[NewAsset]:
        """What is of no use, or is gone, was paid for all the same; what may still come is looked for again."""
        bench, origin = self._bench, _origin(self._bench, call)
        with closing(Delivery(bench.store, bench.fetching, origin, outputs[: call.outputs])) as delivery:
            try:
                return await delivery.bring(STORE_WITHIN_S)
            except Spoiled as error:
                log.warning("recovered_file_unreadable", call_id=call.id, error=str(error))
            except NotFetched as error:
                if error.can_get_better:
                    raise
                log.warning("recovered_file_gone", call_id=call.id, error=str(error))
        return []

    async def _later(self, call: LeftCall) -> None:
        database = self._bench.database
        if call.age_s > aftercare.LOOKED_AFTER_S:
            log.warning("call.given_up", call_id=call.id, job_id=call.job_id, provider=call.provider)
            await database.write(aftercare.stop_looking, call.id)
            return
        pause_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(call.checks_n - 1, 10))
        await database.write(aftercare.look_again, call.id, pause_s)

    def _provider(self, call: LeftCall) -> Provider:
        return self._bench.providers[call.provider]


def _origin(bench: Bench, call: LeftCall) -> Origin:
    model = bench.catalog.get(call.model)
    ai_generated = model.ai_generated if model else True
    return Origin(call.job_id, call.id, call.provider, call.model, call.prompt, json.loads(call.params), ai_generated)


def _keep(tx: Tx, late: Late) -> bool:
    return keep_late(tx, [late])[0]
