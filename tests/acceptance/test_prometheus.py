"""A real Prometheus reads one and several processes of an installation: what concerns all is told alike by each."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.prometheus import prometheus
from tests.support.server import Installation, installation

pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="no prometheus is installed")

COMPLETED = 'jobs_total{status="completed", type="image"}'


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path / "made") as found:
        yield found


def place(url: str) -> str:
    return urlsplit(url).netloc


def test_one_server_is_scraped(made: Installation, tmp_path: Path) -> None:
    made.serve()
    made.until_ended(made.submit_many(3))
    with prometheus(tmp_path / "prometheus", [place(made.url)]) as reader:
        reader.until(COMPLETED, [3])
        reader.until("up", [1])
        assert [target["lastError"] for target in reader.targets()] == [""]
        reader.until('histogram_quantile(0.5, sum by (le) (job_duration_seconds_bucket{type="image"})) > bool 0', [1])


def test_two_servers_and_a_worker_tell_the_same_of_jobs_and_each_its_own_of_itself(
    made: Installation, tmp_path: Path
) -> None:
    first = made.serve("--no-worker").until("server.ready")["url"]
    second = made.serve("--no-worker").until("server.ready")["url"]
    worker = made.worker("--metrics-port", "0")
    places = [place(first), place(second), place(worker.until("metrics.ready")["url"])]
    with prometheus(tmp_path / "prometheus", places) as reader:
        made.until_ended(made.submit_many(5))
        reader.until(COMPLETED, [5, 5, 5])
        reader.until('queue_depth{queue="image"}', [0, 0, 0])
        reader.until("max(credits_used_total) - min(credits_used_total)", [0])
        reader.until('safelight_claimed_jobs_total{queue="image"}', [5])
        reader.until('sum(safelight_submit_seconds_count{outcome="accepted"})', [5])
        reader.until("up", [1, 1, 1])
