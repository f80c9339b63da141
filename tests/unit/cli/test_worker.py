"""`safelight worker` takes what the setting takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from safelight.domain.errors import BadSettings
from safelight.settings import load_settings
from tests.unit.cli.conftest import Run


def test_no_more_jobs_at_a_time_than_the_setting_allows(run: Run, tmp_path: Path) -> None:
    refused = run("worker", "--concurrency", "10001")
    assert refused.exit_code == 2
    assert "less than or equal to 10000" in refused.output
    with pytest.raises(BadSettings, match="from 1 to 10000"):
        load_settings({"SAFELIGHT_WORKER_CONCURRENCY": "10001"}, cwd=tmp_path)
