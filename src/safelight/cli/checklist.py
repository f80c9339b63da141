"""The checklist of a deployment: each point is in order, is not, or was not looked at, and says what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from safelight import __version__
from safelight.catalog.catalog import Catalog
from safelight.cli.out import out, plain
from safelight.diagnosis.doctor import Report
from safelight.diagnosis.facts import Facts
from safelight.diagnosis.finding import Finding, Severity
from safelight.diagnosis.words import count
from safelight.domain.errors import Remedy
from safelight.settings import Settings
from safelight.store.connect import sqlite_path

PACKAGES: Final = ("fastapi", "httpx", "obstore", "PIL", "pydantic", "sqlalchemy", "structlog", "uvicorn", "websockets")
FOUND_BY: Final[Mapping[str, frozenset[str]]] = {
    "settings": frozenset({"UNKNOWN_SETTING", "CONTRADICTORY_SETTINGS", "INVALID_SETTING"}),
    "catalog": frozenset({"BAD_CATALOG", "MODEL_RETIRES"}),
    "secrets": frozenset({"DEFAULT_SECRET"}),
    "addresses": frozenset({"LOOPBACK_CALLBACK_URL", "SOCKET_URL_MISMATCH"}),
    "database": frozenset({"DATABASE_UNREACHABLE", "DATABASE_BUSY", "CLOCK_SKEW"}),
    "schema": frozenset({"NOT_MIGRATED"}),
    "storage": frozenset({"STORAGE_DENIED", "STORAGE_FULL", "STORAGE_UNREACHABLE", "DISK_LOW"}),
    "providers": frozenset(
        {"PROVIDER_UNAUTHORIZED", "PROVIDER_OUT_OF_CREDIT", "PROVIDER_UNREACHABLE", "PROVIDER_ERRORS"}
    ),
    "workers": frozenset(
        {"NO_WORKER_FOR_QUEUE", "WORKER_MISSING", "WORKER_TOO_OLD", "SWEEPER_DEAD", "WORKER_RESTARTS"}
    ),
    "live updates": frozenset({"LIVE_UPDATES_BROKEN"}),
}
"""By point, the findings of the doctor that speak against it."""
AFTER: Final = frozenset({"workers", "live updates"})


@dataclass(frozen=True, slots=True)
class Point:
    """`ok` is None for what was not looked at. `said` is what was seen."""

    name: str
    ok: bool | None
    said: str
    remedy: Remedy | None = None

    def body(self) -> dict[str, Any]:
        remedy = {"text": self.remedy.text, "command": self.remedy.command} if self.remedy else None
        return {"check": self.name, "ok": self.ok, "said": self.said, "remedy": remedy}


def checked(report: Report, settings: Settings, catalog: Catalog, *, before: bool) -> list[Point]:
    """Every point, in the order in which a deployment needs them."""
    points = [_packages(settings), *_found(report, before=before)]
    return [*points, *_kinds(report.facts, catalog)]


def say(points: Sequence[Point]) -> None:
    """A line each; below one that is not in order what to do."""
    for point in points:
        mark, style = {True: ("ok    ", "green"), False: ("FAILED", "red"), None: ("-     ", "dim")}[point.ok]
        out().print(f"{mark} {point.name}: {plain(point.said)}", style=style, soft_wrap=True)
        if point.ok is False and point.remedy:
            out().print(f"       {plain(str(point.remedy))}", soft_wrap=True)
    bad = sum(point.ok is False for point in points)
    out().print(f"\n{count(bad, 'point')} not in order." if bad else "\nEverything is in order.")


def _packages(settings: Settings) -> Point:
    """What these settings need can be imported."""
    needed = [*PACKAGES, *(["psycopg"] if sqlite_path(settings.database_address) is None else [])]
    broken = {name: error for name in needed if (error := _cannot_import(name))}
    if broken:
        words = "; ".join(f"{name}: {error}" for name, error in broken.items())
        return Point("packages", False, words, Remedy("Install them where this program is.", "make extras"))
    return Point("packages", True, f"Safelight {__version__} and the {len(needed)} packages it needs here")


def _cannot_import(name: str) -> str | None:
    try:
        import_module(name)
    except Exception as error:  # a broken package may raise anything
        return str(error) or type(error).__name__
    return None


def _found(report: Report, *, before: bool) -> Iterator[Point]:
    facts, bad = report.facts, [each for each in report.findings if each.severity is not Severity.INFO]
    for name, codes in FOUND_BY.items():
        against = [finding for finding in bad if finding.code in codes]
        if before and name in AFTER:
            yield Point(name, None, "not looked at before anything runs")
        elif against:
            yield _against(name, against)
        elif name in AFTER and facts.rows is None:
            yield Point(name, None, "the database tells nothing of them")
        else:
            yield Point(name, True, _seen(name, facts))


def _against(name: str, findings: Sequence[Finding]) -> Point:
    first, more = findings[0], len(findings) - 1
    return Point(
        name, False, first.symptom + (f" And {more} more: see `safelight doctor`." if more else ""), first.remedy
    )


def _seen(name: str, facts: Facts) -> str:
    configured = [provider.name for provider in facts.providers if not provider.missing]
    said = {
        "settings": "nothing is misspelt or contradicts another",
        "catalog": "it can be used",
        "secrets": "none can be guessed",
        "addresses": facts.configuration.public_url or "as requests name them",
        "database": facts.database.where
        if facts.database.exists
        else f"{facts.database.where}: made at the first start",
        "schema": f"{facts.database.schema or 'none yet'}, needed is {facts.database.needed}",
        "storage": f"{facts.storage.where}: "
        + ("written and read back" if facts.storage.exists else "made at first use"),
        "providers": ", ".join(configured) or "none is set up",
        "workers": count(sum(worker.takes_jobs for worker in facts.rows.workers), "worker") if facts.rows else "",
        "live updates": facts.socket.url if facts.socket else "no server runs",
    }
    return said[name]


def _kinds(facts: Facts, catalog: Catalog) -> Iterator[Point]:
    """Whether each kind of job has a model that this machine could make."""
    usable = {provider.name for provider in facts.providers if not provider.missing}
    for kind in dict.fromkeys(model.kind for model in catalog.models):
        models = [model for model in catalog.models if model.kind == kind]
        able = [model.id for model in models if any(route.provider in usable for route in model.routes)]
        remedy = Remedy("Set up a provider for it, or an extra.", "safelight providers list")
        said = f"{count(len(able), 'model')} of {len(models)} can be made here" if able else "no model can be made here"
        yield Point(f"jobs of kind {kind}", bool(able), said, remedy)
