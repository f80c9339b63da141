"""Pictures to start from, brought by hand: dropped, pasted, more than fit, used again."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.running import Server
from tests.browser.sheet import expect_picture, expect_status, press_generate

OpenPage = Callable[..., Page]
BRING = """([how, target, pictures]) => Promise.all(pictures.map(([name, width, height]) => new Promise((done) => {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  canvas.toBlob((blob) => done(new File([blob], name, { type: 'image/png' })));
}))).then((files) => {
  const brought = new DataTransfer();
  for (const file of files) brought.items.add(file);
  const node = target ? document.querySelector(target) : document;
  const options = { bubbles: true, cancelable: true };
  const event = how === 'paste'
    ? new ClipboardEvent('paste', { clipboardData: brought, ...options })
    : new DragEvent(how, { dataTransfer: brought, ...options });
  node.dispatchEvent(event);
  return event.defaultPrevented;
})"""


def bring(page: Page, how: str, target: str, *pictures: tuple[str, int, int]) -> bool:
    """Do as a person's hand does; whether the page took the event (else the browser would open the file)."""
    taken: bool = page.evaluate(BRING, [how, target, pictures])
    return taken


def open_upscale(page: Page) -> None:
    page.get_by_text("Upscale", exact=True).click()
    expect(page.get_by_label("Choose a picture")).to_be_attached()


def test_a_picture_is_dropped_anywhere_on_the_form(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url)
    open_upscale(page)
    easel = page.locator("#form")
    assert bring(page, "dragover", ".settings", ("dropped.png", 48, 32))
    expect(easel).to_have_attribute("data-drop", "yes")
    assert bring(page, "drop", ".settings", ("dropped.png", 48, 32))
    assert easel.get_attribute("data-drop") is None
    expect(page.locator(".brought")).to_contain_text("dropped.png, 48 × 32")  # noqa: RUF001 (it is that sign)
    expect_picture(page.locator(".brought img"))


def test_a_picture_dropped_where_none_is_taken_is_left_to_the_browser(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url)
    expect(page.locator("#model-note")).not_to_be_empty()
    assert not bring(page, "dragover", "#form", ("stray.png", 48, 32))
    assert not bring(page, "drop", "#form", ("stray.png", 48, 32))
    expect(page.locator(".brought")).to_have_count(0)


def test_a_brought_picture_is_in_the_form_again_when_its_job_is_used_again(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url)
    open_upscale(page)
    bring(page, "paste", "", ("used.png", 40, 30))
    expect(page.locator(".brought")).to_contain_text("40 × 30")  # noqa: RUF001
    frame = press_generate(page)
    expect_status(frame, "completed")
    frame.get_by_role("link").click()
    page.get_by_role("button", name="Use again").click()
    expect(page.get_by_label("Upscale", exact=True)).to_be_checked()
    expect(page.locator(".brought")).to_contain_text("40 × 30")  # noqa: RUF001
    with page.expect_response(lambda answer: answer.url.endswith("/api/jobs")) as answered:
        page.get_by_role("button", name="Generate").click()
    assert answered.value.status == 202
    assert answered.value.json()["inputs"][0]["width"] == 40


def test_pictures_beyond_the_room_are_left_out_and_that_is_said(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url)
    open_upscale(page)
    assert bring(page, "drop", ".settings", ("first.png", 48, 32), ("second.png", 48, 32), ("third.png", 48, 32))
    expect(page.locator(".brought")).to_have_count(1)
    expect(page.locator("#inputs-error")).to_have_text("There is room for 1 more: 2 pictures were left out.")
