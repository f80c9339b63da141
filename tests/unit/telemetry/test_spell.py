"""A trouble that lasts is said once, and so is its end."""

from __future__ import annotations

import structlog
from structlog.testing import capture_logs

from safelight.telemetry.spell import Spell


def test_a_trouble_is_a_warning_once_and_its_end_is_said_once() -> None:
    with capture_logs() as logs:
        spell = Spell(structlog.get_logger(), "database_away")
        spell.over()
        for n in range(3):
            spell.met(OSError(f"no route, {n}"), worker="w1")
            assert spell.lasts
        spell.over()
        spell.over()
        assert not spell.lasts
        spell.met("again")
    said = [(line["log_level"], line["event"]) for line in logs if line["log_level"] != "debug"]
    assert said == [("warning", "database_away"), ("info", "database_away_no_longer"), ("warning", "database_away")]
    assert (logs[0]["error"], logs[0]["worker"]) == ("no route, 0", "w1")
    assert [line["error"] for line in logs if line["log_level"] == "debug"] == ["no route, 1", "no route, 2"]
