"""One browser, two people: what one has left in it the other is not shown, and does nothing in that name."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.browser.conftest import ARGS, CHROMIUM
from tests.browser.running import ANN, BOB, Server
from tests.browser.sheet import (
    LIST,
    come_back_to_tab,
    end_session,
    expect_asked,
    expect_status,
    frame_of,
    news,
    open_frame,
    sign_in,
    submit,
)

OpenPage = Callable[..., Page]
WORDS = "a secret of ann's"
WATCH = """
window.asked = 0;
new MutationObserver(() => { window.asked += document.documentElement.dataset.signed === 'out'; })
  .observe(document.documentElement, { attributes: true });
"""

PRESSED_WHILE_LEFT = """
new MutationObserver(() => {
  document.querySelector('#form').requestSubmit();
  document.dispatchEvent(new Event('visibilitychange'));
}).observe(document.documentElement, { attributes: true, attributeFilter: ['data-signed'] });
new BroadcastChannel(`safelight-session ${location.href}`).postMessage({ user: 'bob' });
"""
"""Bob has signed in elsewhere; as this page begins to be left, Generate is pressed and the tab looked at."""


@pytest.fixture(scope="module")
def remembering(browser: Browser) -> Iterator[Browser]:
    """Brings pages back as they were left, as browsers do; Playwright keeps its own from that."""
    flag = "--disable-back-forward-cache"
    chromium = browser.browser_type.launch(executable_path=CHROMIUM, args=ARGS, ignore_default_args=[flag])
    yield chromium
    chromium.close()


def write(page: Page, words: str = WORDS) -> None:
    page.get_by_label("Prompt", exact=True).fill(words)


def sign_in_unheard(context: BrowserContext, server: Server, key: str) -> None:
    """The cookie is another one's, and no tab was told."""
    assert context.request.post(f"{server.url}/api/session", data={"key": key}).ok


def expect_fresh(page: Page, user: str) -> None:
    """The studio of that user, who finds nothing in it."""
    expect(page.locator("#who")).to_have_text(user)
    expect(page.locator("#empty")).to_be_visible()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("")
    kept = page.evaluate("JSON.stringify([document.documentElement.outerHTML, {...sessionStorage}])")
    assert "of ann's" not in kept


@pytest.mark.parametrize(("key", "finds"), [(ANN, WORDS), (BOB, "")])
def test_words_kept_over_an_ended_session_and_a_reload_are_their_writers_alone(
    keyed_server: Server, open_page: OpenPage, key: str, finds: str
) -> None:
    page = open_page(keyed_server.url)
    sign_in(page, ANN)
    expect(page.locator("#balance")).to_be_visible()
    write(page)
    end_session(page.context)
    page.reload()
    expect_asked(page, "who you are")
    sign_in(page, key)
    expect(page.get_by_label("Prompt", exact=True)).to_have_value(finds)
    if key == BOB:
        expect_fresh(page, "bob")


def test_after_a_reload_nothing_is_shown_until_it_is_known_who_looks(keyed_server: Server, open_page: OpenPage) -> None:
    page = open_page(keyed_server.url)
    sign_in(page, ANN)
    expect(page.locator("#balance")).to_be_visible()
    write(page)
    held: list[Route] = []
    with page.expect_request("**/api/session"):
        page.route("**/api/session", lambda route: held.append(route), times=1)
        page.reload()
    expect(page.locator("#balance")).not_to_be_empty()
    prompt = page.get_by_label("Prompt", exact=True)
    expect(prompt).to_be_hidden()
    held[0].continue_()
    expect(prompt).to_be_visible()
    expect(prompt).to_have_value(WORDS)


def test_signing_out_and_in_is_heard_in_the_other_tabs(keyed_server: Server, open_page: OpenPage) -> None:
    page = open_page(keyed_server.url)
    sign_in(page, ANN)
    expect_status(submit(page, "the pride of ann's"), "completed")
    other = page.context.new_page()
    other.goto(keyed_server.url)
    expect_status(frame_of(other, "the pride of ann's"), "completed")
    write(other)
    page.get_by_role("button", name="Sign out").click()
    expect_asked(page, "who you are")
    expect(other.locator("#signin-why")).to_contain_text("who you are")
    sign_in(page, BOB)
    expect_fresh(page, "bob")
    expect_fresh(other, "bob")


def test_who_signs_in_again_in_one_tab_goes_on_in_the_others(keyed_server: Server, open_page: OpenPage) -> None:
    page = open_page(keyed_server.url)
    sign_in(page, ANN)
    expect(page.locator("#balance")).to_be_visible()
    other = page.context.new_page()
    other.goto(keyed_server.url)
    expect(other.locator("#who")).to_have_text("ann")
    write(other)
    end_session(page.context)
    for tab in (other, page):
        come_back_to_tab(tab)
        expect_asked(tab, "Your session has ended")
    sign_in(page, ANN)
    expect(other.get_by_label("Prompt", exact=True)).to_have_value(WORDS)
    expect(other.get_by_label("Prompt", exact=True)).to_be_visible()


def test_a_tab_to_which_another_person_comes_back_starts_anew(keyed_server: Server, open_page: OpenPage) -> None:
    page = open_page(keyed_server.url)
    sign_in(page, ANN)
    expect_status(submit(page, "the joy of ann's"), "completed")
    write(page)
    sign_in_unheard(page.context, keyed_server, BOB)
    come_back_to_tab(page)
    expect_fresh(page, "bob")


def test_a_page_left_for_another_person_asks_for_nothing_more(keyed_server: Server, open_page: OpenPage) -> None:
    page = open_page(keyed_server.url)
    sign_in(page, ANN)
    expect(page.locator("#balance")).to_be_visible()
    write(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    with page.expect_event("load"):
        page.evaluate(PRESSED_WHILE_LEFT)
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("")
    assert [request for request in asked if request.startswith("POST")] == []


def test_a_refusal_from_before_the_sign_in_does_not_ask_again(keyed_server: Server, open_page: OpenPage) -> None:
    page = open_page(keyed_server.url)
    sign_in(page, ANN)
    expect(page.locator("#balance")).to_be_visible()
    held: list[Route] = []
    with page.expect_request(LIST):
        page.route(LIST, lambda route: held.append(route), times=1)
        come_back_to_tab(page)
    end_session(page.context)
    come_back_to_tab(page)
    expect_asked(page, "Your session has ended")
    sign_in(page, ANN)
    expect(page.get_by_label("Prompt", exact=True)).to_be_focused()
    page.evaluate(WATCH)
    with page.expect_response(lambda answer: answer.status == 401) as answered:
        held[0].fulfill(status=401, json={"detail": "Too late."})
    answered.value.finished()
    news(page)
    assert page.evaluate("window.asked") == 0
    expect(page.get_by_label("Prompt", exact=True)).to_be_visible()


def leave_for_the_docs(server: Server, open_page: OpenPage, chromium: Browser, prompt: str) -> Page:
    """Ann makes a picture, and reads."""
    page = open_page(server.url, chromium=chromium)
    page.context.add_init_script("addEventListener('pageshow', (event) => { window.restored = event.persisted; })")
    page.reload()
    sign_in(page, ANN)
    expect_status(submit(page, prompt), "completed")
    page.goto(f"{server.url}/docs")
    return page


def test_the_back_button_brings_nothing_back_after_the_session_has_ended(
    keyed_server: Server, open_page: OpenPage, remembering: Browser
) -> None:
    page = leave_for_the_docs(keyed_server, open_page, remembering, "the hope of ann's")
    end_session(page.context)
    page.go_back(wait_until="commit")
    expect_asked(page, "Your session has ended")
    assert page.evaluate("window.restored")
    expect(frame_of(page, "the hope of ann's")).to_be_hidden()
    sign_in(page, ANN)
    expect(frame_of(page, "the hope of ann's")).to_be_visible()


def test_the_back_button_brings_nothing_back_to_another_person(
    keyed_server: Server, open_page: OpenPage, remembering: Browser
) -> None:
    page = leave_for_the_docs(keyed_server, open_page, remembering, "the dream of ann's")
    sign_in_unheard(page.context, keyed_server, BOB)
    page.go_back(wait_until="commit")
    expect_fresh(page, "bob")


def test_the_back_button_brings_nothing_back_after_signing_out(
    keyed_server: Server, open_page: OpenPage, remembering: Browser
) -> None:
    page = open_page(keyed_server.url, chromium=remembering)
    sign_in(page, ANN)
    expect_status(submit(page, "the fear of ann's"), "completed")
    open_frame(page, "the fear of ann's")
    page.get_by_role("link", name="Contact sheet").click()
    page.get_by_role("button", name="Sign out").click()
    expect_asked(page, "who you are")
    page.go_back(wait_until="commit")
    expect_asked(page, "who you are")
    assert "of ann's" not in page.content()


def test_a_question_goes_with_the_person_it_was_put_to(keyed_server: Server, open_page: OpenPage) -> None:
    page = open_page(keyed_server.url)
    sign_in(page, ANN)
    expect_status(submit(page, "the end of ann's"), "completed")
    open_frame(page, "the end of ann's").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    end_session(page.context)
    come_back_to_tab(page)
    expect_asked(page, "Your session has ended")
    expect(page.get_by_role("dialog")).to_be_hidden()
    sign_in(page, ANN)
    expect(page.get_by_role("heading", level=1)).to_have_text("the end of ann's")
