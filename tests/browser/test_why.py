"""What the diagnosis says, on the page of the job it is about: to whoever made it, in words without any inside."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.running import Server
from tests.browser.sheet import expect_status, frame_of, submit

OpenPage = Callable[..., Page]


def test_a_waiting_job_says_why_and_what_becomes_of_it_if_nothing_changes(
    idle_server: Server, open_page: OpenPage
) -> None:
    page = open_page(idle_server.url)
    expect_status(submit(page, "nobody is there"), "pending")
    frame_of(page, "nobody is there").get_by_role("link").click()
    why = page.get_by_role("article").locator("[data-why]")
    expect(why).to_contain_text("It waits for a machine that makes such jobs", timeout=15_000)
    expect(why).to_have_text(re.compile(r"Else it fails at \d\d:\d\d( [AP]M)? and returns 1 credit\.$"))
    expect(why).not_to_contain_text("safelight worker")


def test_of_a_failure_it_adds_what_its_own_message_does_not_say(
    serve: Callable[..., Server], open_page: OpenPage
) -> None:
    soon = {"SAFELIGHT_MAX_WAIT_SECONDS": "3", "SAFELIGHT_SWEEP_SECONDS": "0.5"}
    page = open_page(serve("--no-worker", environ=soon).url)
    frame = submit(page, "too late")
    expect_status(frame, "failed")
    frame.get_by_role("link").click()
    article = page.get_by_role("article")
    expect(article.locator("[data-why]")).to_have_text("It cost nothing.")
    expect(article.locator("[data-error]")).not_to_be_empty()
