"""Play one fault on one database, and judge what was said of it and what came of the remedy."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.fault import Fault, Injected, Unusual
from tests.faults.system import CannotBePlayed, System, system

GONE_WITHIN_S = 40.0


@dataclass(slots=True)
class Outcome:
    """What came of one. `named` is whether the first finding was the right one; `complaints` are everything else."""

    name: str
    kind: str
    code: str = ""
    named: bool = False
    complaints: list[str] = field(default_factory=list)
    took_s: float = 0.0
    skipped: str | None = None
    """Why it could not be played here."""

    @property
    def fine(self) -> bool:
        return self.named and not self.complaints


def play(fault: Fault, folder: Path, postgres_url: str | None) -> Outcome:
    """Inject, ask, follow the remedy to the letter, ask again."""
    outcome = Outcome(fault.name, "postgres" if postgres_url else "sqlite", fault.code)
    began = time.monotonic()
    try:
        with system(folder, postgres_url, **fault.settings) as patient:
            _played(fault, patient, outcome)
    except CannotBePlayed as reason:
        outcome.skipped = str(reason)
    except Exception:  # the edge of the laboratory: the others go on
        outcome.complaints.append(traceback.format_exc())
    outcome.took_s = time.monotonic() - began
    return outcome


def play_healthy(unusual: Unusual, folder: Path, postgres_url: str | None) -> Outcome:
    """Nothing may be found above `info`."""
    outcome = Outcome(unusual.name, "postgres" if postgres_url else "sqlite")
    began = time.monotonic()
    try:
        with system(folder, postgres_url, **unusual.settings) as odd:
            unusual.arrange(odd)
            alarms = _troubles(odd.doctor()["findings"])
            outcome.named = not alarms
            outcome.complaints += [f"false alarm: {_said(each)}" for each in alarms]
    except Exception:  # as above
        outcome.complaints.append(traceback.format_exc())
    outcome.took_s = time.monotonic() - began
    return outcome


def _played(fault: Fault, patient: System, outcome: Outcome) -> None:
    injected = fault.inject(patient)
    first, others = _asked(fault, patient, injected)
    if first is None:
        outcome.complaints.append("nothing was found")
        return
    outcome.named = first["code"] == fault.code
    if not outcome.named:
        outcome.complaints.append(f"first was {_said(first)}; then {[each['code'] for each in others]}")
        return
    outcome.complaints += list(_wrong_numbers(first, injected))
    outcome.complaints += [f"unrelated: {_said(each)}" for each in _unrelated(first, others, injected)]
    _follow(first, patient, injected)
    if injected.job is not None and injected.ends:
        patient.until_status(injected.job, *injected.ends, within_s=injected.within_s)
    if fault.goes:
        patient.until(lambda: not _still(fault, patient, injected), f"{fault.code} is gone", GONE_WITHIN_S)


def _asked(fault: Fault, patient: System, injected: Injected) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The first finding and the others."""
    if fault.ask == "explain":
        assert injected.job is not None
        said = patient.explain(injected.job)
        return said["verdict"], said["others"]
    found = patient.doctor()["findings"]
    return (found[0], found[1:]) if found else (None, [])


def _still(fault: Fault, patient: System, injected: Injected) -> bool:
    first, others = _asked(fault, patient, injected)
    return any(each["code"] == fault.code for each in _troubles([first, *others] if first else others))


def _follow(first: dict[str, Any], patient: System, injected: Injected) -> None:
    """The command as it was printed, then what its words ask of an operator."""
    command = first["remedy"]["command"]
    if command:
        patient.follow(command)
    if injected.by_hand is not None:
        injected.by_hand()


def _wrong_numbers(first: dict[str, Any], injected: Injected) -> Iterable[str]:
    for name, wanted in injected.evidence.items():
        found = first["evidence"].get(name)
        if not (wanted(found) if callable(wanted) else found == wanted):
            yield f"evidence {name!r} is {found!r}" + ("" if callable(wanted) else f", not {wanted!r}")
    affects = (first["affects"]["jobs"], first["affects"]["credits"])
    if injected.affects is not None and affects != injected.affects:
        yield f"affects {affects}, not {injected.affects}"


def _unrelated(first: dict[str, Any], others: list[dict[str, Any]], injected: Injected) -> Iterable[dict[str, Any]]:
    """Troubles that neither follow from the first nor rightly stand beside it."""
    by_code = {each["code"]: each for each in others}
    for each in _troubles(others):
        above, seen = each, {each["code"]}
        while above["because_of"] in by_code and above["because_of"] not in seen:
            above = by_code[above["because_of"]]
            seen.add(above["code"])
        if above["because_of"] != first["code"] and each["code"] not in {first["code"], *injected.also}:
            yield each


def _troubles(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in found if each["severity"] != "info"]


def _said(finding: dict[str, Any]) -> str:
    return f"{finding['severity']} {finding['code']} {finding['subject']}: {finding['symptom']}"
