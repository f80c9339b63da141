"""The studio behind a real nginx that ends TLS and puts it under a path, configured as docs/proxy.md says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from safelight.testing.throwaway import NoServer, free_port
from tests.browser.running import ANN, Server, missing
from tests.browser.sheet import expect_asked, expect_picture, expect_status, open_frame, sign_in, submit
from tests.support.nginx import nginx

OpenPage = Callable[..., Page]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where the studio is seen from outside; ann has a key and credits."""
    port = free_port()
    environ = {
        "SAFELIGHT_API_KEYS": f"{ANN}:ann:jobs",
        "SAFELIGHT_TRUSTED_PROXIES": "127.0.0.1",
        "SAFELIGHT_PUBLIC_URL": f"https://127.0.0.1:{port}/safelight",
    }
    with closing(Stopping(tmp_path, environ=environ)) as server:
        server.start()
        server.command("credits", "grant", "ann", "100")
        try:
            with nginx(tmp_path / "nginx", port, server.port) as url:
                yield f"{url}/"
        except NoServer as reason:
            missing(str(reason))


class Stopping(Server):
    def close(self) -> None:
        self.stop()


def test_one_signs_in_sees_the_picture_come_and_takes_it_home(address: str, open_page: OpenPage) -> None:
    page = open_page(address, ignore_https_errors=True)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    expect_asked(page, "")
    sign_in(page, ANN)
    with page.expect_request(lambda request: request.url.endswith("/events") or "/events?" in request.url):
        frame = submit(page, "a lighthouse behind a wall", size=(256, 256))
    expect_status(frame, "completed")
    article = open_frame(page, "a lighthouse behind a wall")
    assert page.url.startswith(address)
    expect_picture(article.get_by_role("img").first)
    with page.expect_download() as download:
        article.get_by_role("link", name="Download").click()
    assert download.value.path().stat().st_size > 0
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("a lighthouse behind a wall")
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
