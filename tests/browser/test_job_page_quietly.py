"""The page of a job while news of it keeps coming: what has not changed is left alone, and so are hands and ears."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
from playwright.sync_api import Page, Route, expect

from tests.browser.running import Server
from tests.browser.sheet import A_JOB, LIST, expect_picture, expect_status, frame_of, news, open_frame, submit

OpenPage = Callable[..., Page]
PROMPTS = (
    "a door in the dunes",
    "a window on the sea",
    "a stair in the rocks",
    *(f"a roof, number {n}" for n in range(3)),
)
COUNT_WRITES = """(node) => {
  window.writes = 0;
  new MutationObserver((seen) => { window.writes += seen.length; })
    .observe(node, { childList: true, characterData: true, subtree: true });
}"""


def shown_as(page: Page, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Every job that the server names looks like this."""

    def in_list(route: Route) -> None:
        body = route.fetch().json()
        route.fulfill(json={**body, "jobs": [change(job) for job in body["jobs"]]})

    page.route(LIST, in_list)
    page.route(A_JOB, lambda route: route.fulfill(json=change(route.fetch().json())))


def make_larger(server: Server, prompt: str) -> dict[str, Any]:
    """A picture, and its larger one, which has a page."""
    with httpx.Client(base_url=server.url, trust_env=False, timeout=60, headers={"Prefer": "wait=60"}) as client:
        small = {"kind": "image", "prompt": prompt, "params": {"width": 256, "height": 256}}
        asset = client.post("/api/jobs", json=small).raise_for_status().json()["assets"][0]["id"]
        asked = {"kind": "upscale", "inputs": [{"asset": asset}]}
        larger: dict[str, Any] = client.post("/api/jobs", json=asked).raise_for_status().json()
    return larger


def test_the_slider_stays_when_addresses_are_signed_anew(server: Server, open_page: OpenPage) -> None:
    larger = make_larger(server, "slid over")
    page = open_page("about:blank")
    asked: list[str] = []

    def signed_anew(job: dict[str, Any]) -> dict[str, Any]:
        asked.append(job["id"])
        anew = [{**each, "url": each["url"].replace("?", f"?n={len(asked)}&")} for each in job["inputs"]]
        return {**job, "inputs": anew}

    shown_as(page, signed_anew)
    picture = httpx.get(larger["inputs"][0]["url"], trust_env=False)
    page.route("**/api/assets/*n=*", lambda route: route.fulfill(body=picture.content, content_type="image/png"))
    page.goto(f"{server.url}/jobs/{larger['id']}")
    before = page.locator("img.before")
    expect_picture(before)
    first = before.get_attribute("src")
    page.get_by_role("slider").focus()
    page.keyboard.press("Home")
    news(page)
    expect(page.get_by_role("slider")).to_have_value("0")
    expect(page.get_by_role("slider")).to_be_focused()
    assert before.get_attribute("src") == first


def test_a_picture_before_that_is_gone_is_asked_for_once(server: Server, open_page: OpenPage) -> None:
    larger = make_larger(server, "gone before")
    page = open_page("about:blank")
    asked: list[str] = []

    def gone(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=404)

    page.route(f"**/api/assets/{larger['inputs'][0]['asset']}?*", gone)
    page.goto(f"{server.url}/jobs/{larger['id']}")
    expect_picture(page.get_by_role("article").locator(".tray img:not(.before)"))
    expect(page.get_by_role("slider")).to_have_count(0)
    news(page, 3)
    assert len(asked) == 1


def test_what_failed_is_said_once_and_a_refusal_beside_it(idle_server: Server, open_page: OpenPage) -> None:
    page = open_page(idle_server.url)
    expect_status(submit(page, "failed once"), "pending")
    error = {"code": "content_rejected", "message": "The provider did not like it.", "remedy": "Say it otherwise."}

    def failed(job: dict[str, Any]) -> dict[str, Any]:
        mine = job["prompt"] == "failed once"
        return {**job, "status": "failed", "error": error, "sequence": 100, "queue_info": None} if mine else job

    shown_as(page, failed)
    page.route("**/events*", lambda route: route.abort())
    page.reload()
    article = open_frame(page, "failed once")
    why = article.locator("[data-error]")
    expect(why).to_contain_text("did not like it")
    why.evaluate(COUNT_WRITES)
    news(page, 3)
    assert page.evaluate("writes") == 0
    page.route("**/retry", lambda route: route.fulfill(status=402, json={"detail": "Too dear."}))
    article.get_by_role("button", name="Try again").click()
    expect(article.get_by_role("alert").filter(has_text="Too dear")).to_be_visible()
    expect(why).to_contain_text("did not like it")


def test_what_the_browser_keeps_from_pages_is_copied_by_selecting_it(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url, permissions=["clipboard-read"])
    page.get_by_text("Text", exact=True).click()
    expect_status(submit(page, "a letter that is kept back"), "completed")
    article = open_frame(page, "a letter that is kept back")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new DOMException('No.')); }")
    article.get_by_role("button", name="Copy text").click()
    expect(article.get_by_role("button", name="Copied")).to_be_visible()
    written = article.locator(".written").text_content() or ""
    assert page.evaluate("navigator.clipboard.readText()").strip() == written.strip()


def post_batch(server: Server) -> str:
    asked = {"prompts": PROMPTS, "params": {"width": 256, "height": 256}}
    answer = httpx.post(f"{server.url}/api/jobs/batch-generation", json=asked, trust_env=False)
    made: str = answer.raise_for_status().json()["id"]
    return made


def test_the_items_of_a_batch_stand_beside_each_other_and_count_as_one(
    idle_server: Server, open_page: OpenPage
) -> None:
    batch = post_batch(idle_server)
    page = open_page(idle_server.url)
    expect(page.locator(f'#sheet [data-id="{batch}"]')).to_be_visible()
    title = page.title()
    page.locator(f'#sheet [data-id="{batch}"] .open').click()
    items = page.get_by_role("region", name="Items").get_by_role("link")
    expect(items).to_have_count(len(PROMPTS))
    page.get_by_role("link", name="Contact sheet").click()
    expect(page).to_have_title(title)

    page.go_back()
    items.filter(has_text=PROMPTS[1]).click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(PROMPTS[1])
    page.reload()  # nothing is known of the others now
    page.get_by_role("link", name="Next").click()
    expect(heading).to_have_text(PROMPTS[2])
    for prompt in (PROMPTS[1], PROMPTS[0]):
        page.keyboard.press("ArrowLeft")
        expect(heading).to_have_text(prompt)
    expect(page.get_by_role("link", name="Previous")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator(f'#sheet [data-id="{batch}"] .open')).to_be_focused()


def test_arrow_keys_wind_a_film_and_scroll_a_table_and_turn_the_page_elsewhere(
    server: Server, open_page: OpenPage
) -> None:
    page = open_page(server.url)
    batch = post_batch(server)
    params = {"width": 192, "height": 128, "duration_s": 1, "fps": 12}
    body = {"kind": "video", "prompt": "a film to wind", "params": params}
    httpx.post(f"{server.url}/api/jobs", json=body, trust_env=False).raise_for_status()
    expect_status(frame_of(page, "a film to wind"), "completed")
    open_frame(page, "a film to wind")
    there = page.url
    film = page.locator("article video")
    expect(film).to_have_js_property("loop", False)
    film.focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(there)
    page.get_by_role("heading", level=1).focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(batch))
    across = page.get_by_role("region", name="Items")
    expect(across.get_by_role("link")).to_have_count(len(PROMPTS))
    for held in (across, across.get_by_role("link").first):
        held.focus()
        page.keyboard.press("ArrowLeft")
        expect(page).to_have_url(re.compile(batch))


def test_a_batch_is_used_again_whole_or_not_at_all(idle_server: Server, open_page: OpenPage) -> None:
    batch = post_batch(idle_server)
    page = open_page(f"{idle_server.url}/jobs/{batch}")
    article = page.get_by_role("article")
    expect(article.get_by_role("region", name="Items").get_by_role("link")).to_have_count(len(PROMPTS))
    page.route("**/items?*", lambda route: route.fulfill(status=500, json={"detail": "Out of order."}))
    article.get_by_role("button", name="Use again").click()
    expect(article.get_by_role("alert").filter(has_text="Out of order").last).to_be_visible()
    expect(article).to_be_visible()

    def one_by_one(route: Route) -> None:
        cursor = re.search(r"cursor=(\d)", route.request.url)
        n = int(cursor[1]) if cursor else 0
        whole = httpx.get(f"{idle_server.url}/api/jobs/{batch}/items", trust_env=False).json()["jobs"]
        route.fulfill(json={"jobs": whole[n : n + 1], "nextCursor": str(n + 1) if n + 1 < len(whole) else None})

    held: list[Route] = []
    holds = True

    def hold(route: Route) -> None:
        held.append(route) if holds else route.continue_()

    prompt = page.get_by_label("Prompt", exact=True)
    page.unroute("**/items?*")
    page.route("**/items?*", hold)
    with page.expect_request("**/items?*"):
        article.get_by_role("button", name="Use again").click()
    page.get_by_role("link", name="Contact sheet").click()
    prompt.fill("typed meanwhile")
    holds = False
    for route in held:
        route.continue_()
    page.locator(f'#sheet [data-id="{batch}"] .open').click()
    expect(article.get_by_role("region", name="Items").get_by_role("link")).to_have_count(len(PROMPTS))
    page.get_by_role("link", name="Contact sheet").click()
    expect(prompt).to_have_value("typed meanwhile")

    page.route("**/items?*", one_by_one)
    page.locator(f'#sheet [data-id="{batch}"] .open').click()
    article.get_by_role("button", name="Use again").click()
    expect(prompt).to_have_value("\n".join(PROMPTS))
