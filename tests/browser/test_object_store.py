"""The studio shows files that an object store hands out by itself, under a policy that lets it and nobody else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.running import Server
from tests.browser.sheet import expect_picture, expect_status, submit


@pytest.fixture
def s3_server(browser: Browser, tmp_path: Path, s3_url: str) -> Iterator[Server]:
    (tmp_path / "safelight.toml").write_text(f'storage_url = "{s3_url}"\n')
    server = Server(tmp_path)
    server.start()
    yield server
    server.stop()


def test_a_picture_in_a_bucket_is_seen(s3_server: Server, open_page: Callable[..., Page]) -> None:
    page = open_page(s3_server.url)
    frame = submit(page, "sunset over a calm ocean")
    expect_status(frame, "completed")
    expect_picture(frame.locator("img"))
