"""The skill for coding agents names commands and codes that there are."""

from __future__ import annotations

import re
from pathlib import Path

from safelight.diagnosis.rules import RULES
from tests.support.commands import assert_exists

SKILL = Path(__file__).resolve().parents[3] / "skills" / "debugging-safelight" / "SKILL.md"
EXPLAIN = Path(__file__).resolve().parents[3] / "src" / "safelight" / "diagnosis" / "explain"


def test_every_command_exists_with_its_options() -> None:
    commands = re.findall(r"`(safelight [^`]+)`", SKILL.read_text())
    assert len(commands) > 15
    for command in commands:
        assert_exists(command)


def test_every_code_can_be_found() -> None:
    codes = set(re.findall(r"`([A-Z]{3,}(?:_[A-Z]+)+)`", SKILL.read_text())) - {"SAFELIGHT_URL", "SAFELIGHT_API_KEY"}
    source = "".join(path.read_text() for path in EXPLAIN.glob("*.py"))
    known = {code for rule in RULES for code in rule.codes} | set(re.findall(r'"([A-Z_]{5,})"', source))
    assert len(codes) > 20
    assert codes <= known


def test_it_begins_with_what_agents_look_for() -> None:
    head = SKILL.read_text().split("---")[1]
    assert re.search(r"^name: debugging-safelight$", head, re.MULTILINE)
    assert re.search(r"^description: .{80,1024}$", head, re.MULTILINE)
