"""Where files go: reachable, writable, with room."""

from __future__ import annotations

from collections.abc import Iterator

from safelight.diagnosis.facts import Facts, Trouble
from safelight.diagnosis.finding import Finding, Remedy, Severity
from safelight.diagnosis.rules.registry import rule
from safelight.diagnosis.words import megabytes
from safelight.services.disk import LEAST_FREE_BYTES

LITTLE_FREE_BYTES = 2 * LEAST_FREE_BYTES
_CODES = {"denied": "STORAGE_DENIED", "full": "STORAGE_FULL", "no_bucket": "STORAGE_DENIED"}
_CAUSES = {
    "STORAGE_DENIED": "The store is there and does not let Safelight in: no job can deliver.",
    "STORAGE_FULL": "There is no room left: no job can deliver.",
    "STORAGE_UNREACHABLE": "The store cannot be used: what is made meanwhile is stored again and again.",
}


@rule("DISK_LOW")
def disk_low(facts: Facts) -> Iterator[Finding]:
    """Hardly any disk is free where the database or the files are; below the reserve new jobs are refused."""
    free = facts.storage.free_bytes
    if free is None or free >= LITTLE_FREE_BYTES:
        return
    refused = free < LEAST_FREE_BYTES
    least = megabytes(LEAST_FREE_BYTES)
    yield Finding(
        "DISK_LOW",
        Severity.ERROR if refused else Severity.WARNING,
        "disk",
        f"Only {megabytes(free)} of disk are free.",
        f"Below {least} no new jobs are taken, so that those accepted can be finished.",
        Remedy(
            "Make room: remove old jobs, or give the disk more space.", "safelight prune --older-than 30d --dry-run"
        ),
        evidence={"free_bytes": free, "least_bytes": LEAST_FREE_BYTES},
    )


@rule("STORAGE_DENIED", "STORAGE_FULL", "STORAGE_UNREACHABLE")
def storage_trouble(facts: Facts) -> Iterator[Finding]:
    """A small file could not be written to the store and looked at: it is gone, does not let us in, or is full."""
    storage = facts.storage
    trouble = storage.trouble
    if not storage.exists:
        if facts.rows is None or not (facts.rows.jobs_ever or facts.rows.live):
            return  # no process has made it yet, as far as is known
        remedy = Remedy("Bring it back, or correct SAFELIGHT_STORAGE_URL or SAFELIGHT_DATA_DIR.", "safelight settings")
        trouble = Trouble(f"The folder of the files, {storage.where}, is gone.", remedy, "denied")
    if trouble is None:
        return
    code = _CODES.get(trouble.kind, "STORAGE_UNREACHABLE")
    yield Finding(
        code,
        Severity.ERROR,
        "storage",
        trouble.what,
        _CAUSES[code],
        trouble.remedy,
        evidence={"store": storage.where, "free_bytes": storage.free_bytes},
        because_of="DISK_LOW" if code == "STORAGE_FULL" else None,
    )
