"""No violations in the eyes of axe-core, on both views, in both themes.

axe-core is not ours and not in the repository: SAFELIGHT_TEST_AXE names its axe.min.js, or `npm install` in this folder
brings it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.running import Server, missing
from tests.browser.sheet import expect_picture, expect_status, frame_of, submit

INSTALLED = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
RUN = """() => axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations.map(
  ({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ') + ' ' + node.failureSummary).join(' | ')}`))"""


@pytest.fixture
def axe() -> str:
    path = Path(os.environ.get("SAFELIGHT_TEST_AXE", INSTALLED))
    if not path.is_file():
        missing("The accessibility test needs axe-core: npm install --prefix tests/browser, or SAFELIGHT_TEST_AXE")
    return path.read_text(encoding="utf-8")


def assert_accessible(page: Page, axe: str) -> None:
    page.evaluate(axe)
    assert page.evaluate(RUN) == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_on_the_sheet_and_on_a_job(
    server: Server, open_page: Callable[..., Page], axe: str, theme: str
) -> None:
    page = open_page(server.url, color_scheme=theme, reduced_motion="reduce")
    prompt = f"meadow seen in the {theme}"
    frame = submit(page, prompt)
    expect_status(frame, "completed")
    expect_picture(frame.locator("img"))
    page.get_by_text("Custom", exact=True).click()
    page.get_by_label("Width in pixels").fill("1")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("#size-error")).not_to_be_empty()
    assert_accessible(page, axe)

    frame_of(page, prompt).get_by_role("link").click()
    expect_picture(page.get_by_role("article").locator("img"))
    expect(page.locator(".timeline")).to_contain_text("Completed")
    assert_accessible(page, axe)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_on_an_empty_and_a_waiting_sheet(
    serve: Callable[..., Server], open_page: Callable[..., Page], axe: str, theme: str
) -> None:
    server = serve("--no-worker")
    page = open_page(server.url, color_scheme=theme, reduced_motion="reduce")
    expect(page.locator("#empty")).to_be_visible()
    assert_accessible(page, axe)
    frame = submit(page, "waiting for a lamp")
    expect_status(frame, "pending")
    assert_accessible(page, axe)
    frame.get_by_role("button", name="Cancel").click()
    expect_status(frame, "canceled")
    assert_accessible(page, axe)
