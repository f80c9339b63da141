"""No violations in the eyes of axe-core, on each view, in both themes.

axe-core is not ours and not in the repository: SAFELIGHT_TEST_AXE names its axe.min.js, or `npm install` in this folder
brings it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.running import ANN, Server, missing
from tests.browser.sheet import expect_picture, expect_status, frame_of, sign_in, submit

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
    """In the theme that is on, and in the other one."""
    page.evaluate(axe)
    for _ in range(2):
        assert page.evaluate(RUN) == []
        page.locator("#theme-toggle").click()


def test_axe_finds_nothing_on_a_picture_a_refusal_and_a_job_page(
    server: Server, open_page: Callable[..., Page], axe: str
) -> None:
    page = open_page(server.url, reduced_motion="reduce")
    frame = submit(page, "meadow with poppies", size=(256, 256))
    expect_status(frame, "completed")
    expect_picture(frame.locator("img"))
    page.get_by_label("Width in pixels").fill("1")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("#size-error")).not_to_be_empty()
    assert_accessible(page, axe)

    frame.get_by_role("link").click()
    expect_picture(page.get_by_role("article").locator("img"))
    expect(page.locator(".timeline")).to_contain_text("Completed")
    assert_accessible(page, axe)


def test_axe_finds_nothing_on_an_empty_a_waiting_and_a_canceled_sheet(
    idle_server: Server, open_page: Callable[..., Page], axe: str
) -> None:
    page = open_page("about:blank", reduced_motion="reduce")
    nothing = {"jobs": [], "nextCursor": None}
    page.route("**/api/jobs?limit*", lambda route: route.fulfill(json=nothing))
    page.goto(idle_server.url)
    expect(page.locator("#empty")).to_be_visible()
    assert_accessible(page, axe)
    frame = submit(page, "waiting for a lamp")
    expect_status(frame, "pending")
    assert_accessible(page, axe)
    frame.get_by_role("button", name="Cancel").click()
    expect_status(frame, "canceled")
    assert_accessible(page, axe)


def test_axe_finds_nothing_on_the_sign_in_page_a_refused_key_and_behind_it(
    keyed_server: Server, open_page: Callable[..., Page], axe: str
) -> None:
    page = open_page(keyed_server.url, reduced_motion="reduce")
    sign_in(page, "sk-test-of-nobody")
    expect(page.locator("#signin-problem")).to_be_visible()
    assert_accessible(page, axe)
    sign_in(page, ANN)
    expect(page.locator("#account")).to_be_visible()
    assert_accessible(page, axe)


def test_axe_finds_nothing_on_a_batch_a_question_and_before_and_after(
    server: Server, open_page: Callable[..., Page], axe: str
) -> None:
    page = open_page(server.url, reduced_motion="reduce")
    page.get_by_label("One prompt per line").check()
    prompts = [f"a fern, number {n}" for n in range(6)]
    frame = submit(page, "\n".join(prompts), size=(256, 256))
    frame = frame_of(page, "Batch of 6")
    expect_status(frame, "completed")
    frame.get_by_role("link").click()
    expect_picture(page.get_by_role("region", name="Items").locator("img").first)
    assert_accessible(page, axe)
    page.get_by_role("link").filter(has_text=prompts[0]).click()
    page.get_by_role("button", name="Make it larger").click()
    expect_picture(page.get_by_role("article").locator("img.before"))
    assert_accessible(page, axe)
    page.get_by_role("button", name="Delete").click()
    page.evaluate(axe)
    assert page.evaluate(RUN) == []


def test_the_api_page_shows_every_call_and_shape_loads_nothing_from_elsewhere_and_axe_finds_nothing(
    idle_server: Server, open_page: Callable[..., Page], axe: str
) -> None:
    page = open_page("about:blank", reduced_motion="reduce")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{idle_server.url}/docs")
    expect(page.get_by_role("heading", name="POST /api/jobs", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Job", exact=True)).to_be_visible()
    assert [url for url in asked if not url.startswith(idle_server.url)] == []
    assert_accessible(page, axe)
