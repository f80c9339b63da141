"""Which file an asset goes to."""

from __future__ import annotations

from pathlib import Path

from safelight.cli.save import destinations
from tests.unit.cli.stand_in import ASSET, JOB_ID, job


def names(count: int, output: Path) -> list[str]:
    return [path.name for path in destinations(job(assets=[ASSET] * count), output)]


def test_one_asset_takes_the_name_given(tmp_path: Path) -> None:
    assert names(1, tmp_path / "cat.png") == ["cat.png"]


def test_several_assets_are_numbered(tmp_path: Path) -> None:
    assert names(3, tmp_path / "cat.png") == ["cat-1.png", "cat-2.png", "cat-3.png"]


def test_in_a_folder_the_job_gives_the_name(tmp_path: Path) -> None:
    assert names(1, tmp_path) == [f"{JOB_ID}.png"]
    assert names(2, tmp_path) == [f"{JOB_ID}-1.png", f"{JOB_ID}-2.png"]


def test_no_asset_is_no_file(tmp_path: Path) -> None:
    assert names(0, tmp_path) == []
