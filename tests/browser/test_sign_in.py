"""Signing in, where the server has keys: whoever comes back, or in later, finds what was written; nobody else does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.running import ANN, BOB, READER, Server
from tests.browser.sheet import end_session, expect_asked, expect_picture, expect_status, frame_of, sign_in, submit

OpenPage = Callable[..., Page]


def test_a_key_opens_the_studio_and_a_picture_is_made(keyed_server: Server, open_page: OpenPage) -> None:
    page = open_page(keyed_server.url)
    expect_asked(page, "who you are")
    sign_in(page, ANN)
    expect(page.get_by_label("Prompt", exact=True)).to_be_focused()
    expect(page.locator("#balance")).to_be_visible()
    frame = submit(page, "after the gate")
    expect_status(frame, "completed")
    expect_picture(frame.locator("img"))
    page.reload()
    expect_status(frame_of(page, "after the gate"), "completed")
    expect(page.locator("#who")).to_have_text("ann")
    cookies = page.context.cookies()
    assert [cookie["httpOnly"] for cookie in cookies] == [True]
    assert ANN not in page.evaluate("JSON.stringify([document.documentElement.outerHTML, {...localStorage}])")


@pytest.mark.parametrize(
    ("key", "says"),
    [("", "key is missing"), ("sk-test-of-nobody", "is not known"), (READER, "its scopes are read")],
)
def test_what_is_wrong_with_a_key_is_said(keyed_server: Server, open_page: OpenPage, key: str, says: str) -> None:
    page = open_page(keyed_server.url)
    sign_in(page, key)
    expect(page.get_by_role("alert").filter(has_text=says)).to_be_visible()
    expect_asked(page, "who you are")
    assert page.context.cookies() == []


def test_a_session_that_ends_amid_work_loses_nothing_written(keyed_server: Server, open_page: OpenPage) -> None:
    page = open_page(keyed_server.url)
    sign_in(page, ANN)
    page.get_by_label("Prompt", exact=True).fill("half a sentence about")
    over = {"detail": "Your session has ended."}
    page.route("**/api/jobs", lambda route: route.fulfill(status=401, json=over), times=1)
    page.get_by_role("button", name="Generate").click()
    expect_asked(page, "Your session has ended")
    sign_in(page, ANN)
    expect(page.get_by_role("alert").filter(has_text="Nothing was submitted")).to_be_visible()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("half a sentence about")
    page.get_by_role("button", name="Generate").click()
    expect_status(frame_of(page, "half a sentence about"), "completed")


def test_signing_out_leaves_nothing_for_the_next_person(keyed_server: Server, open_page: OpenPage) -> None:
    page = open_page(keyed_server.url)
    sign_in(page, ANN)
    expect_status(submit(page, "only for ann"), "completed")
    page.get_by_label("Prompt", exact=True).fill("a secret of ann's")
    page.get_by_role("button", name="Sign out").click()
    expect_asked(page, "who you are")
    sign_in(page, BOB)
    expect(page.locator("#who")).to_have_text("bob")
    expect(page.locator("#empty")).to_be_visible()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("")


def test_another_person_who_signs_in_after_an_ended_session_sees_nothing_of_the_former(
    keyed_server: Server, open_page: OpenPage
) -> None:
    page = open_page(keyed_server.url)
    sign_in(page, ANN)
    expect_status(submit(page, "left behind by ann"), "completed")
    end_session(page.context)
    expect_asked(page, "Your session has ended")
    sign_in(page, BOB)
    expect(page.locator("#who")).to_have_text("bob")
    expect(page.locator("#empty")).to_be_visible()
    expect(frame_of(page, "left behind by ann")).to_have_count(0)


def test_the_page_of_a_job_comes_back_after_signing_in(keyed_server: Server, open_page: OpenPage) -> None:
    page = open_page(keyed_server.url)
    sign_in(page, ANN)
    frame = submit(page, "shown to its owner")
    expect_status(frame, "completed")
    frame.get_by_role("link").click()
    end_session(page.context)
    page.reload()
    expect_asked(page, "who you are")
    sign_in(page, ANN)
    expect(page.get_by_role("heading", level=1)).to_have_text("shown to its owner")
    expect_picture(page.get_by_role("article").locator("img"))


def test_who_uses_no_mouse_signs_in_and_makes_a_picture(keyed_server: Server, open_page: OpenPage) -> None:
    page = open_page(keyed_server.url, viewport={"width": 390, "height": 800})
    expect_asked(page, "who you are")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.keyboard.type(ANN)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Prompt", exact=True)).to_be_focused()
    page.keyboard.type("by hand alone")
    page.keyboard.press("Control+Enter")
    expect_status(frame_of(page, "by hand alone"), "completed")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_local_mode_asks_for_nothing(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url)
    expect(page.get_by_text("left", exact=False).first).to_be_visible()
    expect(page.locator("#account")).to_be_hidden()
    expect(page.locator("#signin")).to_be_hidden()
