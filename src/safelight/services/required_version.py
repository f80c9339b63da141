"""The oldest release whose workers may run jobs, a fact of the installation that an operator sets."""

from __future__ import annotations

from safelight.services.installation import fact, set_fact
from safelight.store.tx import Tx

MIN_WORKER_VERSION = "min_worker_version"


def required_version(tx: Tx) -> str | None:
    """The release that workers must have at least; None if any will do."""
    return fact(tx, MIN_WORKER_VERSION)


def require_version(tx: Tx, version: str) -> None:
    """From now on older workers drain and end, and none can start."""
    set_fact(tx, MIN_WORKER_VERSION, version)
