"""The page of a job: what can be done with it, what it started from, what it is made of."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.running import Server
from tests.browser.sheet import expect_picture, expect_status, frame_of, submit

OpenPage = Callable[..., Page]
SMALL = (256, 256)


def open_job(page: Page, prompt: str, status: str = "completed", **options: Any) -> Locator:
    """The page of a new job that has come so far."""
    frame = submit(page, prompt, **options)
    expect_status(frame, status)
    frame.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(prompt)
    return page.get_by_role("article")


def choose(page: Page, kind: str) -> None:
    page.get_by_text(kind, exact=True).click()


def test_a_text_is_copied(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url, permissions=["clipboard-read", "clipboard-write"])
    choose(page, "Text")
    article = open_job(page, "a letter to copy")
    written = article.get_by_label("Text", exact=True)
    expect(written).not_to_be_empty()
    article.get_by_role("button", name="Copy text").click()
    expect(article.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == written.text_content()


def test_a_deleted_picture_is_gone_and_a_second_thought_keeps_it(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url)
    article = open_job(page, "regretted at once", size=SMALL)
    delete = article.get_by_role("button", name="Delete")
    delete.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("stays in your ledger")
    expect(dialog.get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(delete).to_be_focused()
    delete.click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_label("Prompt", exact=True)).to_be_visible()
    expect(frame_of(page, "regretted at once")).to_have_count(0)
    page.reload()
    expect(page.locator("#balance")).to_be_visible()
    expect(frame_of(page, "regretted at once")).to_have_count(0)


def test_a_picture_that_another_job_starts_from_stays_and_it_is_said_why(
    idle_server: Server, open_page: OpenPage
) -> None:
    page = open_page(idle_server.url)
    article = open_job(page, "still wanted by another", "pending")
    article.get_by_role("button", name="Cancel").click()
    in_use = {"detail": "Job X, which has not ended, starts from this.", "remedy": "Delete it later.", "status": 409}
    page.route(re.compile(r"/api/jobs/[^/]+$"), lambda route: route.fulfill(status=409, json=in_use), times=1)
    article.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(article.get_by_role("alert")).to_contain_text("which has not ended, starts from this")


def test_a_canceled_job_is_tried_again_as_a_new_one(idle_server: Server, open_page: OpenPage) -> None:
    page = open_page(idle_server.url)
    article = open_job(page, "once more", "pending")
    before = page.url
    expect(article.get_by_role("button", name="Try again")).to_be_hidden()
    article.get_by_role("button", name="Cancel").click()
    article.get_by_role("button", name="Try again").click()
    expect(article.locator("dl")).to_contain_text("Made from")
    assert page.url != before
    expect(article.locator(".state")).to_contain_text("Waiting")


def test_before_and_after_are_one_slider_apart(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url)
    article = open_job(page, "small at first", size=SMALL)
    article.get_by_role("button", name="Make it larger").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Picture made larger")
    print_ = page.get_by_role("article").locator(".tray .print")
    before, after = print_.locator("img.before"), print_.locator("img:not(.before)")
    expect_picture(before)
    expect_picture(after)
    assert before.evaluate("image => image.naturalWidth") == 256
    slider = page.get_by_role("slider", name="How much of the picture before")
    slider.focus()
    page.keyboard.press("Home")
    assert print_.evaluate("print => print.style.getPropertyValue('--before')") == "0%"
    page.keyboard.press("End")
    assert print_.evaluate("print => print.style.getPropertyValue('--before')") == "100%"
    page.get_by_role("button", name="Use again").click()
    expect_picture(page.locator(".brought img"))  # what it started from is in the form again


def test_a_batch_shows_its_items_and_each_has_a_page(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url)
    page.get_by_label("One prompt per line").check()
    submit(page, "\n".join(("a red kite", "a blue kite", *(f"a kite, number {n}" for n in range(5)))), size=SMALL)
    frame = frame_of(page, "Batch of 7")
    expect_status(frame, "completed")
    frame.get_by_role("link").click()
    items = page.get_by_role("region", name="Items")
    expect(items.get_by_role("listitem")).to_have_count(7)
    expect_picture(items.locator("img").first)
    items.get_by_role("link").filter(has_text="a blue kite").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("a blue kite")
    page.get_by_role("link", name="Its batch").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Batch of 7")
    page.get_by_role("link", name="Contact sheet").click()
    expect(frame_of(page, "a blue kite")).to_have_count(0)  # items stand in their batch


@pytest.mark.parametrize("width", [390, 1280])
def test_models_are_compared_side_by_side(server: Server, open_page: OpenPage, width: int) -> None:
    """One image model is built in; the answer is changed to tell of two."""
    page = open_page(server.url, viewport={"width": width, "height": 800})
    prompts = [f"kite number {n} of {width}" for n in range(4 if width == 390 else 5)]
    page.get_by_label("One prompt per line").check()
    submit(page, "\n".join(prompts), size=SMALL)
    frame = frame_of(page, f"Batch of {len(prompts)}")
    expect_status(frame, "completed")

    def two_models(route: Route) -> None:
        body = route.fetch().json()
        twice = [(item, model) for item in body["jobs"] for model in ("one", "other")]
        jobs = [{**item, "id": f"{item['id']}{n}", "model": model} for n, (item, model) in enumerate(twice)]
        route.fulfill(json={**body, "jobs": jobs})

    page.route("**/items?*", two_models)
    frame.get_by_role("link").click()
    table = page.get_by_role("region", name="Models side by side").get_by_role("table")
    expect(table.get_by_role("link")).to_have_count(2 * len(prompts))
    assert table.get_by_role("columnheader").all_text_contents() == ["one", "other"]
    assert sorted(table.get_by_role("rowheader").all_text_contents()) == prompts
    expect_picture(table.locator("img").first)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def waited(job: dict[str, Any], minutes: float) -> dict[str, Any]:
    """As if it had been submitted an hour ago, and could be started since so many minutes."""
    created, since = (datetime.now(UTC) - timedelta(minutes=ago) for ago in (60, minutes))
    return {**job, "created_at": created.isoformat(), "queue_info": {**job["queue_info"], "since": since.isoformat()}}


def test_a_job_that_has_waited_for_five_minutes_says_what_is_going_on(
    serve: Callable[..., Server], open_page: OpenPage
) -> None:
    page = open_page(serve("--no-worker").url)
    expect_status(submit(page, "still waiting"), "pending")
    minutes = 0

    def age_list(route: Route) -> None:
        body = route.fetch().json()
        route.fulfill(json={**body, "jobs": [waited(job, minutes) for job in body["jobs"]]})

    page.route("**/api/jobs?limit*", age_list)
    page.route(re.compile(r"/api/jobs/[^/]+$"), lambda route: route.fulfill(json=waited(route.fetch().json(), minutes)))
    page.route("**/events*", lambda route: route.abort())
    page.reload()
    expect_status(frame_of(page, "still waiting"), "pending")
    expect(page.locator("#long-waits")).to_be_empty()
    minutes = 6
    expect(page.locator("#long-waits")).to_contain_text("One job has waited for more than five minutes")
    expect(page.locator("#announcer")).to_contain_text("One job has waited for more than five minutes")
    expect(page.locator("#long-waits")).to_contain_text("a worker")
    frame_of(page, "still waiting").get_by_role("link").click()
    word = page.get_by_role("article").locator("[data-wait]")
    expect(word).to_contain_text("waited for 6 min")
    expect(word).to_contain_text("a worker: none that is running serves its queue")
    expect(word).to_contain_text("safelight worker")
    expect(word).to_contain_text("1 credit comes back")


def test_a_server_in_maintenance_says_so_before_anybody_presses_and_takes_jobs_again_by_itself(
    serve: Callable[..., Server], open_page: OpenPage
) -> None:
    server = serve()
    server.command("maintenance", "on", "--message", "Back at noon.")
    page = open_page(server.url)
    page.clock.install()
    page.get_by_label("Prompt", exact=True).fill("a boat in the dock")
    closed = page.locator("#closed")
    page.clock.run_for(1000)
    expect(closed).to_contain_text("Back at noon.")
    server.command("maintenance", "off")
    page.clock.run_for(11_000)
    expect(closed).to_be_hidden()
    page.get_by_role("button", name="Generate").click()
    page.clock.run_for(6_000)
    expect(frame_of(page, "a boat in the dock")).to_be_visible()
