"""The buttons of a job's page when things go otherwise: an answer is lost, comes late, or the job is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.running import Server
from tests.browser.sheet import A_JOB, LIST, expect_status, frame_of, news, open_frame, submit

OpenPage = Callable[..., Page]


def open_job(page: Page, prompt: str, status: str = "pending") -> Locator:
    frame = submit(page, prompt)
    expect_status(frame, status)
    return open_frame(page, prompt)


def press(page: Page, name: str) -> None:
    page.get_by_role("article").get_by_role("button", name=name).click()


def job_id(page: Page) -> str:
    return page.url.rsplit("/", 1)[1]


def expect_spoken(page: Page, words: str) -> None:
    expect(page.locator("#announcer")).to_contain_text(words)


def test_each_press_asks_anew_but_one_whose_answer_was_lost_asks_for_the_same(
    idle_server: Server, open_page: OpenPage
) -> None:
    page = open_page(idle_server.url)
    article = open_job(page, "tried again and again")
    first = page.url
    press(page, "Cancel")
    keys: list[str] = []

    def answer(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        route.continue_() if len(keys) > 1 else route.fulfill(response=route.fetch(), status=502, json={})

    page.route("**/retry", answer)
    press(page, "Try again")
    expect(article.get_by_role("alert")).to_contain_text("502")
    press(page, "Try again")
    expect(article.locator("dl")).to_contain_text("Made from")
    second = page.url
    page.go_back()
    expect(page).to_have_url(first)
    press(page, "Try again")
    expect(article.locator("dl")).to_contain_text("Made from")
    assert page.url not in {first, second}
    assert keys[0] == keys[1] != keys[2]


def test_a_job_between_two_tries_is_tried_now_as_often_as_it_is_asked_for(
    idle_server: Server, open_page: OpenPage
) -> None:
    page = open_page(idle_server.url)
    page.route("**/events*", lambda route: route.abort())
    article = open_job(page, "refused at first")
    now: dict[str, Any] = {"sequence": 100}
    keys: set[str] = set()

    def changed(job: dict[str, Any]) -> dict[str, Any]:
        return {**job, **now} if job["prompt"] == "refused at first" else job

    def backs_off() -> None:
        waits = {"due_at": "2090-01-01T00:00:00Z", "since": "2090-01-01T00:00:00Z"}
        now.update(sequence=now["sequence"] + 1, attempt=1, started_at="2026-01-01T00:00:00Z", queue_info=waits)

    def in_list(route: Route) -> None:
        body = route.fetch().json()
        route.fulfill(json={**body, "jobs": [changed(job) for job in body["jobs"]]})

    def retry(route: Route, **answer: Any) -> None:
        keys.add(route.request.headers["idempotency-key"])
        now.update(sequence=now["sequence"] + 1, **answer)
        asked = route.request.url.removesuffix("/retry")
        route.fulfill(json=changed(httpx.get(asked, trust_env=False).json()))

    page.route(LIST, in_list)
    page.route(A_JOB, lambda route: route.fulfill(json=changed(route.fetch().json())))
    page.route("**/retry", lambda route: retry(route, queue_info={"due_at": None, "since": "2090-01-01T00:00:00Z"}))
    button = article.get_by_role("button", name="Try now")
    for _ in range(2):
        backs_off()
        news(page, 1)
        button.click()
        expect_spoken(page, "is tried now")
        expect(button).to_be_hidden()
        expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert len(keys) == 2
    backs_off()
    news(page, 1)
    page.route("**/retry", lambda route: retry(route, status="canceled", queue_info=None, finished_at="2026-01-01"))
    button.click()
    expect_spoken(page, "has ended already: canceled")


def test_an_answer_that_comes_late_pulls_nobody_away(idle_server: Server, open_page: OpenPage) -> None:
    page = open_page(idle_server.url)
    article = open_job(page, "answered late")
    press(page, "Cancel")
    held: list[Route] = []
    page.route("**/retry", lambda route: held.append(route))
    page.route(A_JOB, lambda route: held.append(route) if route.request.method == "DELETE" else route.fallback())
    with page.expect_request("**/retry"):
        press(page, "Try again")
    page.get_by_role("link", name="Contact sheet").click()
    held.pop().continue_()
    expect_spoken(page, "was made from")
    expect(page).to_have_url(f"{idle_server.url}/")
    expect(frame_of(page, "answered late")).to_have_count(2)

    frame_of(page, "answered late").last.get_by_role("link").click()
    article.get_by_role("button", name="Delete").click()
    with page.expect_request(A_JOB):
        page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_role("link", name="Contact sheet").click()
    frame_of(page, "answered late").first.get_by_role("link").click()
    there = page.url
    held.pop().continue_()
    expect_spoken(page, "is deleted")
    expect(page).to_have_url(there)
    page.get_by_role("link", name="Contact sheet").click()
    expect(frame_of(page, "answered late")).to_have_count(1)


def test_what_is_refused_after_one_has_left_stands_on_the_sheet(idle_server: Server, open_page: OpenPage) -> None:
    page = open_page(idle_server.url)
    open_job(page, "refused late")
    press(page, "Cancel")
    held: list[Route] = []
    page.route("**/retry", lambda route: held.append(route))
    with page.expect_request("**/retry"):
        press(page, "Try again")
    number = job_id(page)[-3:].upper()
    page.get_by_role("link", name="Contact sheet").click()
    held.pop().fulfill(status=402, json={"detail": "The job costs more than there is."})
    expect(page.locator("#sheet-problem")).to_have_text(f"{number}: The job costs more than there is.")


def test_a_job_that_was_deleted_elsewhere_goes_and_the_others_still_get_their_news(
    idle_server: Server, open_page: OpenPage
) -> None:
    page = open_page("about:blank")
    page.route("**/events*", lambda route: route.abort())
    page.goto(idle_server.url)
    ids = {}
    for prompt in ("deleted by another", "canceled by another", "not to be read"):
        open_job(page, prompt)
        ids[prompt] = job_id(page)
        page.get_by_role("link", name="Contact sheet").click()
    open_frame(page, "deleted by another")
    page.route(LIST, lambda route: route.fulfill(json={"jobs": [], "nextCursor": None}))  # as if both were old
    gone = {"detail": "There is no such job of yours.", "status": 404}
    page.route(f"**/api/jobs/{ids['deleted by another']}", lambda route: route.fulfill(status=404, json=gone))
    broken = f"**/api/jobs/{ids['not to be read']}"
    page.route(broken, lambda route: route.fulfill(status=500, json={"detail": "Out of order."}))
    expect(page.get_by_role("heading", level=1)).to_have_text("No such picture")
    expect(page.get_by_role("article").get_by_role("alert")).to_contain_text("it was deleted")
    page.get_by_role("link", name="Contact sheet").click()
    expect(frame_of(page, "deleted by another")).to_have_count(0)
    httpx.post(f"{idle_server.url}/api/jobs/{ids['canceled by another']}/cancel", trust_env=False).raise_for_status()
    expect_status(frame_of(page, "canceled by another"), "canceled")
    credits = httpx.get(f"{idle_server.url}/api/credits", trust_env=False).json()
    expect(page.locator("#balance")).to_have_text(f"{credits['available']:,} left")
    with page.expect_response(broken):
        pass
    news(page)
    expect(page.locator("#sheet-problem")).to_be_hidden()


def test_the_hand_stays_near_what_was_canceled_or_deleted_and_credits_come_back(
    idle_server: Server, open_page: OpenPage
) -> None:
    page = open_page(idle_server.url)
    for prompt in ("the neighbour", "soon deleted"):
        expect_status(submit(page, prompt), "pending")
    page.reload()
    frame = frame_of(page, "soon deleted")
    balance = page.locator("#balance")
    expect(balance).to_contain_text("left")
    left = int((balance.text_content() or "").split()[0].replace(",", ""))
    frame.get_by_role("button", name="Cancel").click()
    expect(frame.get_by_role("link")).to_be_focused()
    expect(balance).to_have_text(f"{left + 1:,} left")

    article = open_frame(page, "soon deleted")
    page.get_by_role("link", name="Contact sheet").click()
    expect(frame.get_by_role("link")).to_be_focused()
    page.keyboard.press("Enter")
    article.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(frame).to_have_count(0)
    expect(frame_of(page, "the neighbour").get_by_role("link")).to_be_focused()
