"""Facts about an installation in which all is well, and words to change one thing in them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from safelight.diagnosis.facts import (
    Configuration,
    DatabaseFacts,
    Facts,
    MachineFacts,
    ProviderFacts,
    QueueFacts,
    Rows,
    StorageFacts,
    WorkerFacts,
)
from safelight.domain.gates import Cause, Gate, Shut, Toll
from safelight.domain.outcomes import ErrorClass
from safelight.providers.protocol import ProbeResult
from safelight.services.gate_look import Standing
from safelight.services.presence import Process

NOW = 1_800_000_000.0
GB = 2**30


def worker(name: str = "w1", *, live: bool = True, **changes: Any) -> WorkerFacts:
    """A worker of queue `image` with four slots, at host `here`."""
    process = Process(
        id=name,
        role="worker",
        host="here",
        boot_id="boot",
        pid=4711,
        process_started="1",
        url=None,
        backend="database",
        nudge_address=None,
        queues=json.dumps(changes.pop("queues", ["image"])),
        providers=json.dumps(changes.pop("providers", ["fake"])),
        slots=4,
        busy=0,
        version="1.0",
        loop_lag_ms=1.0,
        rss_bytes=GB // 8,
        started_at=NOW - 3_600,
        beat_at=NOW - 1 if live else NOW - 300,
        beat_n=9,
        draining=False,
        lost_at=None,
        kinds="[]",
        sweeps_n=700,
        swept_at=NOW - 3 if live else NOW - 300,
    )
    return WorkerFacts(process._replace(**changes), live)


def gone(name: str = "w1", **changes: Any) -> WorkerFacts:
    """A worker that was lost two minutes ago."""
    return worker(name, live=False, **{"lost_at": NOW - 120, **changes})


def queue(name: str = "image", **changes: Any) -> QueueFacts:
    return QueueFacts(name, **changes)


def standing(provider: str = "fake", *, shut: Shut | None = None, **changes: Any) -> Standing:
    """How a gate stands."""
    gate = Gate(f"{provider}/key", provider, "key", **changes)
    return Standing(gate, Toll(provider, "key"), 0, shut, 4)


def tripped(error_class: ErrorClass, reason: str = "its own words", **changes: Any) -> Standing:
    """A gate whose breaker is open."""
    given = {"failures": 5, "tripped_at": NOW - 60, "trial_at": NOW + 60, "failed_at": NOW - 60, **changes}
    shut = Shut("fake", Cause.BREAKER, NOW + 60, reason)
    return standing(shut=shut, error_class=str(error_class), reason=reason, **given)


def provider(standing: Standing | None = None, *, waiting: int = 0, probe: ProbeResult | None = None) -> ProviderFacts:
    return ProviderFacts("fake", None, standing, waiting, probe)


def healthy() -> Facts:
    """A server that runs, one worker, nothing to do."""
    rows = Rows(now=NOW, queues=(queue(),), workers=(worker(),), jobs_ever=20)
    return Facts(
        machine=MachineFacts("here", 8 * GB, NOW),
        configuration=Configuration(),
        database=DatabaseFacts("sqlite:///data/safelight.db", schema="0005", needed="0005"),
        rows=rows,
        storage=StorageFacts("file:///data/assets", free_bytes=50 * GB),
        providers=(provider(),),
        routes={"m": ("fake",)},
    )


def with_rows(**changes: Any) -> Facts:
    """The same with other rows."""
    facts = healthy()
    assert facts.rows is not None
    return replace(facts, rows=replace(facts.rows, **changes))


def with_settings(**changes: Any) -> Facts:
    facts = healthy()
    return replace(facts, configuration=replace(facts.configuration, **changes))


def with_database(**changes: Any) -> Facts:
    """Another database; of one that cannot be read nothing is known."""
    facts = healthy()
    database = replace(facts.database, **changes)
    readable = database.exists and database.trouble is None and database.is_migrated
    return replace(facts, database=database, rows=facts.rows if readable else None)
