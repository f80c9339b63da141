"""Codes that the laboratory injects no fault for, each with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CODES_WITHOUT: Final[Mapping[str, str]] = {
    "STORAGE_FULL": "On a disk it follows from DISK_LOW, which is injected; no object store with a quota is at hand.",
    "WORKER_DIED": "Five workers killed by one job are played by `make crash`.",
    "FAILED_BY_OPERATOR": "No fault: an operator's own doing, tested with recoveries.",
    "HEALTHY_WAIT": "No fault.",
    "HEALTHY_RUN": "No fault.",
}
