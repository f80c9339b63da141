"""The contact sheet in the words of the tests: submit a prompt, find its frame, look at its picture."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Locator, Page, expect

A_JOB = re.compile(r"/api/jobs/[^/?]+$")
LIST = "**/api/jobs?limit*"
"""Where the page asks for one job, and for its newest ones."""


def sign_in(page: Page, key: str) -> None:
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()


def expect_asked(page: Page, why: str) -> None:
    """The sign-in page is all there is, and waits for the key."""
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    expect(page.locator("#signin-why")).to_contain_text(why)
    expect(page.get_by_label("API key")).to_be_focused()
    expect(page.get_by_label("Prompt", exact=True)).to_be_hidden()


def end_session(context: BrowserContext) -> None:
    """As if its days were over: the browser has no cookie any more."""
    context.clear_cookies()


def come_back_to_tab(page: Page) -> None:
    """As when one has looked at another tab meanwhile."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def submit(page: Page, prompt: str, *, size: tuple[int, int] | None = None) -> Locator:
    """Fill in the form and press Generate; the frame of the new job."""
    page.get_by_label("Prompt", exact=True).fill(prompt)
    if size:
        page.get_by_text("Custom", exact=True).click()
        page.get_by_label("Width in pixels").fill(str(size[0]))
        page.get_by_label("Height in pixels").fill(str(size[1]))
    page.get_by_role("button", name="Generate").click()
    return frame_of(page, prompt)


def press_generate(page: Page) -> Locator:
    """The frame of the very job that this makes: without a prompt, others look the same."""
    with page.expect_response(lambda answer: answer.url.endswith("/api/jobs")) as answered:
        page.get_by_role("button", name="Generate").click()
    return page.locator(f'#sheet [data-id="{answered.value.json()["id"]}"]')


def frame_of(page: Page, prompt: str) -> Locator:
    return page.locator("#sheet .frame").filter(has_text=prompt)


def expect_picture(image: Locator) -> None:
    expect(image).to_be_visible()
    expect(image).to_have_js_property("complete", True)
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


def expect_status(frame: Locator, status: str) -> None:
    expect(frame).to_have_attribute("data-status", status)


def open_frame(page: Page, prompt: str) -> Locator:
    """The page of the job whose frame this is."""
    frame_of(page, prompt).get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(prompt)
    return page.get_by_role("article")


def news(page: Page, times: int = 2) -> None:
    """Wait until the page has asked for news, as when one comes back to its tab, and has painted them."""
    for _ in range(times):
        with page.expect_response(LIST) as answered:
            come_back_to_tab(page)
        answered.value.finished()
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
