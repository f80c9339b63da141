"""What a run of the pruner did, or would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from safelight.domain.errors import StorageFailed
from safelight.services.prune import Marked
from safelight.storage.assets import StoredObject


@dataclass
class Pruned:
    """What went, or would go: jobs, files and bytes by the jobs' status and by their kind, idempotency keys."""

    jobs: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, Counter[str]] = field(default_factory=dict)
    """`jobs`, `files` and `bytes` of each kind."""
    keys: int = 0
    failed: int = 0
    """Jobs whose files could not be deleted. They stay marked, and the next run tries again."""
    failure: str = ""

    def add(self, job: Marked, found: Sequence[StoredObject]) -> None:
        self.jobs[job.status] += 1
        self.files[job.status] += len(found)
        size_bytes = sum(file.size_bytes for file in found)
        self.bytes[job.status] += size_bytes
        kind = self.kinds.setdefault(job.kind, Counter())
        kind.update(jobs=1, files=len(found), bytes=size_bytes)

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        by_status = {
            status: {"jobs": jobs, "files": self.files[status], "bytes": self.bytes[status]}
            for status, jobs in sorted(self.jobs.items())
        }
        return {
            "by_status": by_status,
            "by_kind": {kind: dict(counts) for kind, counts in sorted(self.kinds.items())},
            "jobs": self.jobs.total(),
            "files": self.files.total(),
            "bytes": self.bytes.total(),
            "idempotency_keys": self.keys,
            "failed": self.failed,
            "failure": self.failure or None,
        }

    def fail(self, error: StorageFailed) -> None:
        """The files of a job cannot be looked at or deleted."""
        self.failed, self.failure = self.failed + 1, error.what
