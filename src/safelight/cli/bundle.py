"""`safelight doctor --bundle`: an archive for a bug report, without keys, prompts, users and addresses of files."""

from __future__ import annotations

import io
import json
import platform
import sqlite3
import tarfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from safelight import __version__
from safelight.diagnosis.doctor import Report
from safelight.diagnosis.facts import ProviderFacts, Rows
from safelight.domain.clock import as_rfc3339
from safelight.domain.errors import BadSettings, Remedy
from safelight.services.failed_lately import failed_lately
from safelight.settings import Problem, Settings, describe
from safelight.store.connect import open_database
from safelight.telemetry.redact import redact

OURS: Final = ("name", "ready", "delayed", "parked", "running", "per_minute", "usual_s")
FOLDER: Final = "safelight-bundle"


def write_bundle(file: Path, report: Report, settings: Settings, problems: Sequence[Problem]) -> list[str]:
    """The names of what is in it, each a JSON document. Raises BadSettings where it cannot be written."""
    contents = {
        "report.json": report.body(),
        "settings.json": [{"name": row.name, "value": row.value, "source": row.source} for row in describe(settings)],
        "problems.json": [problem._asdict() for problem in problems],
        "versions.json": _versions(report),
        "rows.json": _rows(report.facts.rows, report.facts.providers),
        "failed.json": _failed(report, settings),
    }
    try:
        with tarfile.open(file, "x:gz") as archive:
            for name, content in contents.items():
                _add(archive, f"{FOLDER}/{name}", content)
    except OSError as error:
        raise BadSettings(
            f"{file} cannot be written: {error.strerror}.", remedy=Remedy("Name a file that is not there yet.")
        ) from error
    return list(contents)


def _add(archive: tarfile.TarFile, name: str, content: Any) -> None:
    data = redact(json.dumps(content, indent=2, ensure_ascii=False, default=str)).encode()
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))


def _versions(report: Report) -> Mapping[str, Any]:
    installed = {each.metadata["Name"]: each.version for each in metadata.distributions()}
    return {
        "safelight": __version__,
        "schema": report.facts.database.schema,
        "schema_needed": report.facts.database.needed,
        "python": platform.python_version(),
        "system": platform.platform(),
        "sqlite": sqlite3.sqlite_version,
        "packages": dict(sorted(installed.items(), key=lambda each: each[0].lower())),
    }


def _rows(rows: Rows | None, providers: Sequence[ProviderFacts]) -> Mapping[str, Any] | None:
    if rows is None:
        return None
    return {
        "queues": [{name: getattr(queue, name) for name in OURS} for queue in rows.queues],
        "processes": [{**worker.process._asdict(), "live": worker.live} for worker in rows.workers],
        "departed": [left._asdict() for left in rows.departed.values()],
        "gates": [_gate(provider) for provider in providers if provider.standing],
        "ended_within_the_hour": [each._asdict() for each in rows.ended],
        "jobs_ever": rows.jobs_ever,
        "now": as_rfc3339(rows.now),
    }


def _gate(provider: ProviderFacts) -> Mapping[str, Any]:
    standing = provider.standing
    gate = standing.gate if standing else None
    return {
        "provider": provider.name,
        "missing": provider.missing,
        "failures": gate.failures if gate else None,
        "error_class": gate.error_class if gate else None,
        "tripped_at": as_rfc3339(gate.tripped_at) if gate and gate.tripped_at else None,
        "open_calls": standing.open_calls if standing else None,
        "jobs_waiting": provider.jobs_waiting,
    }


def _failed(report: Report, settings: Settings) -> list[dict[str, Any]] | None:
    if report.facts.rows is None:
        return None
    with closing(open_database(settings.database_address)) as database, database.reading() as tx:
        return failed_lately(tx)
