"""The laboratory itself: it has every code, tells a wrong diagnosis from a right one, and some of it runs here."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from safelight.diagnosis.explain import at_provider, ended, explanation, running, waiting
from safelight.diagnosis.rules import RULES
from tests.faults.__main__ import WARDS
from tests.faults.fault import FAULTS, HEALTHY, Fault, Injected
from tests.faults.play import Outcome, play, play_healthy
from tests.faults.scorecard import scorecard
from tests.faults.system import System
from tests.faults.without import CODES_WITHOUT

for ward in WARDS:
    import_module(f"tests.faults.{ward}")

HERE = (
    "NO_WORKER_FOR_QUEUE: its only worker was stopped, and not started again",
    "UNKNOWN_SETTING: a line of the file is misspelt",
    "LEDGER_MISMATCH: somebody changed an account by hand",
    "QUEUE_PAUSED: an operator forgot it",
    "DELIVERY_MISSING: the receiver answers 410",
)


@pytest.mark.parametrize("name", HERE)
def test_a_fault_is_named_first_and_goes_by_its_remedy(name: str, tmp_path: Path) -> None:
    outcome = play(next(fault for fault in FAULTS if fault.name == name), tmp_path / "system", None)
    assert outcome.fine, outcome.complaints


@pytest.mark.parametrize("name", ["everything stopped in good order", "one of two workers restarted once"])
def test_a_healthy_system_raises_no_alarm(name: str, tmp_path: Path, postgres_server_url: str) -> None:
    outcome = play_healthy(next(odd for odd in HEALTHY if odd.name == name), tmp_path / "system", postgres_server_url)
    assert outcome.fine, outcome.complaints


def test_every_code_has_a_fault_or_a_reason_why_not() -> None:
    injected = {fault.code for fault in FAULTS}
    codes = {code for rule in RULES for code in rule.codes} | explained()
    assert codes - injected == set(CODES_WITHOUT) - injected
    assert injected & set(CODES_WITHOUT) == set(), "a reason that is none"


def test_each_name_is_given_once() -> None:
    names = [fault.name for fault in FAULTS] + [odd.name for odd in HEALTHY]
    assert len(names) == len(set(names))
    assert len(HEALTHY) >= 15


def test_a_wrong_diagnosis_counts_as_wrong(tmp_path: Path) -> None:
    def nothing(patient: System) -> Injected:
        patient.serve()
        return Injected(patient.submit())

    found = play(Fault("DISK_LOW", "not so", "doctor", nothing, ("sqlite",), {}, True), tmp_path / "system", None)
    assert not found.named
    assert "first was error NO_WORKER_FOR_QUEUE" in found.complaints[0]


def test_wrong_numbers_and_a_remedy_that_mends_nothing_count_as_wrong(tmp_path: Path) -> None:
    def ledger(patient: System) -> Injected:
        patient.working()
        patient.change("UPDATE accounts SET held = held + 5")
        return Injected(evidence={"difference": 6})

    fault = Fault("LEDGER_MISMATCH", "off", "doctor", ledger, ("sqlite",), {}, False)
    found = play(fault, tmp_path / "system", None)
    assert found.named
    assert found.complaints == ["evidence 'difference' is 5, not 6"]
    assert not found.fine


def test_the_scorecard_counts_what_was_named_and_what_was_all_right() -> None:
    right, wrong = Outcome("a", "sqlite", "A", named=True), Outcome("b", "sqlite", "A", complaints=["no"])
    half = Outcome("c", "sqlite", "B", named=True, complaints=["wrong numbers"])
    lines = scorecard([right, wrong, half], [Outcome("odd", "sqlite", named=True)]).splitlines()
    assert lines[1].split() == ["A", "2", "1", "1"]
    assert lines[2].split() == ["B", "1", "1", "0"]
    assert lines[4] == "The right cause came first in 66.7 %."
    assert lines[5] == "Of 1 healthy but unusual systems 1 raised no alarm."


def explained() -> set[str]:
    """Every verdict of a job, as the modules that explain write them."""
    sources = [Path(str(module.__file__)).read_text() for module in (at_provider, ended, explanation, running, waiting)]
    return {
        code
        for text in sources
        for code in re.findall(r'"([A-Z]{3,}(?:_[A-Z]+)+|SCHEDULED|UPLOADING|DELIVERED)"', text)
    }
