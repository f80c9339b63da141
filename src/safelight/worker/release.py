"""Whether this program is new enough to run jobs: an operator who upgrades can make older workers drain and end."""

from __future__ import annotations

import asyncio

import structlog

from safelight import __version__
from safelight.domain.errors import Remedy, SafelightError, WorkerTooOld
from safelight.domain.versions import is_older
from safelight.services.required_version import required_version
from safelight.store.database import Database

log = structlog.get_logger(__name__)


async def refuse_if_too_old(database: Database) -> None:
    """Raise `WorkerTooOld` before a worker starts that would have to end at once."""
    required = await database.read(required_version)
    if required is not None and is_older(__version__, required):
        raise WorkerTooOld(
            f"Workers must be of version {required} or later; this is {__version__}.",
            remedy=Remedy("Upgrade this installation, or allow older workers again.", "safelight workers require 0"),
            evidence={"version": __version__, "required": required},
        )


async def until_too_old(database: Database, look_every_s: float) -> WorkerTooOld:
    """Returns what `refuse_if_too_old` would raise, as soon as it would. A look that fails proves nothing."""
    while True:
        await asyncio.sleep(look_every_s)
        try:
            await refuse_if_too_old(database)
        except WorkerTooOld as refusal:
            return refusal
        except (OSError, SafelightError) as error:
            log.debug("required_version_unknown", error=str(error))
