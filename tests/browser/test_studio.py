"""The studio as a person uses it: type, press, watch, come back later."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Locator, Page, Route, expect

from safelight.testing.serving import served
from safelight.testing.stand_in_openai import StandInOpenAI
from safelight.testing.stand_in_replicate import StandInReplicate
from tests.browser.running import Server
from tests.browser.sheet import expect_picture, expect_status, frame_of, submit

OpenPage = Callable[..., Page]

# Jobs are quick: what a frame showed on its way is noted as it happens, not looked for afterwards.
WATCH_FRAMES = """
window.seen = {};
new MutationObserver(() => {
  for (const frame of document.querySelectorAll('#sheet .frame')) {
    const seen = window.seen[frame.dataset.id] ??= { status: [], progress: [] };
    const note = (list, value) => { if (list.at(-1) !== value) list.push(value); };
    note(seen.status, frame.dataset.status);
    const bar = frame.querySelector('[role=progressbar]');
    if (!bar.hidden) note(seen.progress, Number(bar.getAttribute('aria-valuenow')));
  }
}).observe(document, { subtree: true, childList: true, attributes: true });
"""


def seen_of(frame: Locator) -> dict[str, Any]:
    seen: dict[str, Any] = frame.evaluate("frame => seen[frame.dataset.id]")
    return seen


def post_jobs(server: Server, prompts: Iterable[str]) -> None:
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        for prompt in prompts:
            client.post("/api/jobs", json={"kind": "image", "prompt": prompt}).raise_for_status()


def test_a_prompt_becomes_a_picture_that_is_still_there_after_a_reload(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url)
    frame = submit(page, "sunset over a calm ocean")
    expect_status(frame, "completed")
    expect_picture(frame.locator("img"))
    expect(frame.get_by_text("Procedural · not AI")).to_be_visible()

    page.reload()
    frame = frame_of(page, "sunset over a calm ocean")
    expect_status(frame, "completed")
    expect_picture(frame.locator("img"))


def test_a_picture_develops_before_the_eyes(server: Server, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    page.add_init_script(WATCH_FRAMES)
    page.goto(server.url)
    frame = submit(page, "forest in fog, large", size=(2048, 2048))
    expect_status(frame, "completed")
    seen = seen_of(frame)
    assert "processing" in seen["status"]
    assert any(0 < percent < 100 for percent in seen["progress"]), seen


def test_the_job_page_tells_what_was_asked_and_what_happened(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url)
    page.get_by_label("Seed", exact=True).fill("4711")
    frame = submit(page, "castle above the clouds", size=(512, 384))
    expect_status(frame, "completed")
    frame.get_by_role("link").click()

    expect(page).to_have_url(re.compile(r"/jobs/[0-9a-f-]{36}$"))
    job = page.get_by_role("article")
    expect(job.get_by_role("heading", level=1)).to_have_text("castle above the clouds")
    expect(job.locator("dl")).to_contain_text(re.compile("512 . 384"))
    expect(job.locator("dl")).to_contain_text("4711")
    expect(job.locator("dl")).to_contain_text("1 charged")
    expect(job.locator(".timeline li > span:first-child")).to_have_text(["Submitted", "Started", "Completed"])
    expect_picture(job.locator("img"))

    with page.expect_download() as download:
        job.get_by_role("link", name="Download").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")

    page.reload()
    expect_picture(job.locator("img"))
    expect(job.locator(".timeline li")).to_have_count(3)

    job.get_by_role("button", name="Use again").click()
    expect(page).to_have_url(f"{server.url}/")
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("castle above the clouds")
    expect(page.get_by_label("Width in pixels")).to_have_value("512")
    expect(page.get_by_label("Seed", exact=True)).to_have_value("4711")


def test_a_picture_is_made_larger_by_a_press(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url)
    frame = submit(page, "a small castle", size=(256, 256))
    expect_status(frame, "completed")
    frame.get_by_role("link").click()
    small = page.url
    job = page.get_by_role("article")
    job.get_by_role("button", name="Make it larger").click()
    expect(page).not_to_have_url(small)
    expect(job.locator("dl")).to_contain_text("image, 256 × 256")  # noqa: RUF001 (it is that sign)
    expect(job.locator(".timeline")).to_contain_text("Completed", timeout=60_000)
    expect_picture(job.locator("img:not(.before)"))
    larger = job.locator("img:not(.before)").evaluate("image => image.decode().then(() => image.naturalWidth)")
    assert larger > 256


def test_the_form_offers_what_the_chosen_model_takes(serve: Callable[..., Server], open_page: OpenPage) -> None:
    with served(StandInReplicate()) as stand_in:
        environ = {"REPLICATE_API_TOKEN": "r8-test", "SAFELIGHT_REPLICATE_BASE_URL": stand_in.url}
        page = open_page(serve(environ=environ).url)
        expect(page.get_by_label("Model")).to_have_value("google/imagen-4-fast")
        expect(page.get_by_label("Seed", exact=True)).to_be_hidden()
        page.get_by_text("16:9", exact=True).click()
        with page.expect_request("**/api/jobs") as asked:
            frame = submit(page, "a wide harbour")
        assert asked.value.post_data_json["params"] == {"aspect_ratio": "16:9"}
        expect_status(frame, "completed")

        page.get_by_label("Model").select_option("black-forest-labs/flux-1.1-pro")
        expect(page.get_by_label("Seed", exact=True)).to_be_visible()
        page.get_by_label("Seed", exact=True).fill("7")
        expect_status(submit(page, "a narrow street"), "completed")


def test_a_text_is_read_while_it_is_written(serve: Callable[..., Server], open_page: OpenPage) -> None:
    with served(StandInOpenAI()) as stand_in:
        server = serve(environ={"OPENAI_API_KEY": "k", "SAFELIGHT_OPENAI_BASE_URL": stand_in.url})
        page = open_page(server.url)
        asked = {"kind": "text", "model": "gpt-4.1", "prompt": "a tale words=80 seconds=6"}
        job = httpx.post(f"{server.url}/api/jobs", json=asked, trust_env=False).raise_for_status().json()
        frame_of(page, asked["prompt"]).get_by_role("link").click()
        article = page.get_by_role("article")
        written = article.get_by_label("Text")
        expect(written).to_contain_text("Stand-in: ")
        expect(written).not_to_contain_text("fin.", timeout=1)
        expect(article.locator(".timeline")).to_contain_text("Completed")
        text = httpx.get(f"{server.url}/api/jobs/{job['id']}", trust_env=False).json()["text"]
        assert written.evaluate("node => node.textContent") == text
        expect(article.locator(".tray")).to_be_hidden()
        page.get_by_role("link", name="Contact sheet").click()
        expect(frame_of(page, asked["prompt"])).to_contain_text("Stand-in: ")


def test_a_film_shows_its_poster_on_the_sheet_and_plays_on_its_page(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url)
    params = {"width": 192, "height": 128, "duration_s": 1, "fps": 12}
    body = {"kind": "video", "prompt": "an owl in the moonlit forest", "params": params}
    httpx.post(f"{server.url}/api/jobs", json=body, trust_env=False).raise_for_status()
    frame = frame_of(page, "an owl in the moonlit forest")
    expect_status(frame, "completed")
    expect_picture(frame.locator("img"))
    expect(frame.get_by_text("Not AI")).to_be_visible()
    frame.get_by_role("link").click()
    film = page.get_by_role("article").locator("video")
    expect(film).to_be_visible()
    assert film.evaluate("film => film.play().then(() => [film.videoWidth, film.videoHeight, film.duration])") == [
        192,
        128,
        1,
    ]
    page.get_by_role("article").get_by_role("button", name="Use again").click()
    expect(page.get_by_label("Video", exact=True)).to_be_checked()
    expect(page.get_by_label("Length in seconds")).to_have_value("1")
    expect(page.get_by_label("Width in pixels")).to_have_value("192")


def test_a_batch_is_one_frame_and_its_page_tells_how_its_items_stand(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url)
    body = {"prompts": ["a fox in snow", "an owl at night", "a hare at dawn"], "params": {"width": 256, "height": 256}}
    httpx.post(f"{server.url}/api/jobs/batch-generation", json=body, trust_env=False).raise_for_status()
    frame = frame_of(page, "Batch of 3")
    expect_status(frame, "completed")
    expect(frame).to_contain_text("3 completed")
    frame.get_by_role("link").click()
    job = page.get_by_role("article")
    expect(job.get_by_role("heading", level=1)).to_have_text("Batch of 3")
    expect(job.locator("dl")).to_contain_text("3 charged")
    expect(job.locator(".timeline li > span:first-child")).to_have_text(["Submitted", "Started", "Completed"])
    job.get_by_role("button", name="Use again").click()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("a fox in snow\nan owl at night\na hare at dawn")
    expect(page.get_by_label("One prompt per line")).to_be_checked()
    expect(page.get_by_role("button", name="Generate 3")).to_be_visible()


def test_a_waiting_job_can_be_canceled_on_the_sheet(idle_server: Server, open_page: OpenPage) -> None:
    page = open_page(idle_server.url)
    frame = submit(page, "dunes at noon")
    expect_status(frame, "pending")
    expect(page).to_have_title(re.compile(r"^\(\d+\) Safelight$"))
    frame.get_by_role("button", name="Cancel").click()
    expect_status(frame, "canceled")
    expect(frame.get_by_role("button", name="Cancel")).to_be_hidden()
    frame.get_by_role("link").click()
    expect(page.locator(".timeline")).to_contain_text("Canceled")
    expect(page.get_by_role("article")).to_contain_text("1 returned")


def test_jobs_submitted_elsewhere_appear_and_older_ones_are_a_press_away(
    idle_server: Server, open_page: OpenPage
) -> None:
    post_jobs(idle_server, (f"elsewhere {number}" for number in range(60)))
    page = open_page(idle_server.url)
    frames = frame_of(page, "elsewhere")
    expect(frames).to_have_count(50)
    expect(frames.first).to_contain_text("elsewhere 59")
    page.get_by_role("button", name="Load older").click()
    expect(frames).to_have_count(60)
    expect(frames.last).to_contain_text("elsewhere 0")
    expect(page.get_by_role("button", name="Load older")).to_be_hidden()

    # Several windows of one browser share six connections; streams must leave some of them free.
    windows = [page, page.context.new_page(), page.context.new_page()]
    for window in windows[1:]:
        window.goto(idle_server.url)
        expect(window.locator("#counts")).to_contain_text("50 waiting")
    post_jobs(idle_server, (f"elsewhere {number}" for number in range(60, 130)))
    expect(frames).to_have_count(130)
    expect_status(submit(windows[-1], "from the last window"), "pending")
    expect(frame_of(page, "from the last window")).to_be_visible()


def test_news_that_comes_late_does_not_turn_a_job_back(server: Server, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    page.add_init_script(WATCH_FRAMES)
    page.goto(server.url)
    with page.expect_response("**/api/jobs") as answer:
        frame = submit(page, "storm at sea", size=(512, 512))
    expect_status(frame, "completed")
    before = answer.value.json()
    page.route("**/api/jobs?limit*", lambda route: route.fulfill(json={"jobs": [before], "nextCursor": None}))
    with page.expect_response("**/api/jobs?limit*"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # as when one comes back to the tab
    page.evaluate("new Promise(requestAnimationFrame)")
    statuses = seen_of(frame)["status"]
    assert statuses[-1] == "completed"
    assert statuses.count("completed") == 1, statuses


def test_without_a_stream_polling_brings_the_picture(server: Server, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    page.route("**/events*", lambda route: route.abort())
    page.goto(server.url)
    frame = submit(page, "dunes by night", size=(512, 512))
    expect_status(frame, "completed")
    expect_picture(frame.locator("img"))
    expect(page.locator("#connection")).to_be_hidden()


def test_a_bad_size_is_explained_at_its_field(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url)
    submit(page, "too large", size=(9000, 512))
    expect(page.locator("#size-error")).to_contain_text("2048")
    expect(page.get_by_label("Width in pixels")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Width in pixels")).to_be_focused()
    expect(frame_of(page, "too large")).to_have_count(0)

    page.get_by_label("Width in pixels").fill("512")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("#size-error")).to_be_empty()
    expect_status(frame_of(page, "too large"), "completed")


def test_an_empty_prompt_is_explained_at_its_field(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url)
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("#prompt-error")).not_to_be_empty()
    expect(page.get_by_label("Prompt", exact=True)).to_be_focused()


def test_the_keyboard_alone_is_enough(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url)
    expect(page.locator("#sizes input")).not_to_have_count(0)
    page.keyboard.press("/")
    expect(page.get_by_label("Prompt", exact=True)).to_be_focused()
    page.keyboard.type("a cat by the window")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("Landscape")).to_be_checked()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Control+Enter")
    frame = frame_of(page, "a cat by the window")
    expect_status(frame, "completed")

    frame.get_by_role("link").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="a cat by the window")).to_be_focused()
    page.keyboard.press("Escape")
    expect(frame.get_by_role("link")).to_be_focused()


def test_an_unknown_job_says_so_with_a_way_back(server: Server, open_page: OpenPage) -> None:
    page = open_page(f"{server.url}/jobs/no-such-job")
    expect(page.get_by_role("heading", level=1)).to_have_text("No such picture")
    page.get_by_role("link", name="Contact sheet").click()
    expect(page.get_by_label("Prompt", exact=True)).to_be_visible()


def test_a_lost_server_is_shown_and_found_again(serve: Callable[..., Server], open_page: OpenPage) -> None:
    server = serve("--no-worker")
    page = open_page(server.url)
    expect_status(submit(page, "before the storm"), "pending")
    server.stop()
    banner = page.locator("#connection")
    expect(banner).to_contain_text("cannot be reached")
    page.get_by_label("Prompt", exact=True).fill("typed in the dark")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_role("alert").filter(has_text="cannot be reached")).to_be_visible()

    server.start()
    expect(banner).to_be_hidden()
    page.get_by_role("button", name="Generate").click()
    expect_status(frame_of(page, "typed in the dark"), "pending")


def fails_once(page: Page) -> list[str]:
    """The first job is made, but what stands in front of the server says that it failed. The keys of all submits."""
    keys: list[str] = []

    def answer(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        route.continue_() if len(keys) > 1 else route.fulfill(response=route.fetch(), status=502, json={})

    page.route("**/api/jobs", answer)
    return keys


def press_again(page: Page, prompt: str) -> None:
    expect(page.get_by_role("alert").filter(has_text="502")).to_be_visible()
    page.get_by_role("button", name="Generate").click()
    expect_status(frame_of(page, prompt), "pending")


def test_pressing_again_after_the_server_failed_makes_no_second_job(idle_server: Server, open_page: OpenPage) -> None:
    page = open_page(idle_server.url)
    expect(page.locator("#model-note")).not_to_be_empty()
    keys = fails_once(page)
    submit(page, "pressed twice")
    press_again(page, "pressed twice")
    assert keys == [keys[0]] * 2


def test_a_reload_before_pressing_again_makes_no_second_job_either(idle_server: Server, open_page: OpenPage) -> None:
    page = open_page(idle_server.url)
    expect(page.locator("#model-note")).not_to_be_empty()
    keys = fails_once(page)
    submit(page, "pressed, reloaded, pressed")
    expect(page.get_by_role("alert").filter(has_text="502")).to_be_visible()
    page.reload()
    expect(page.locator("#model-note")).not_to_be_empty()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("pressed, reloaded, pressed")
    with page.expect_response(lambda answer: answer.request.method == "POST" and answer.url.endswith("/api/jobs")):
        page.get_by_role("button", name="Generate").click()
    assert keys == [keys[0]] * 2
    with page.expect_response(lambda answer: answer.request.method == "POST" and answer.url.endswith("/api/jobs")):
        page.get_by_role("button", name="Generate").click()
    assert len(set(keys)) == 2, "what was answered is wished for anew"


def test_models_that_come_between_two_presses_make_no_second_job(idle_server: Server, open_page: OpenPage) -> None:
    page = open_page(idle_server.url)
    held: list[Route] = []
    page.route("**/api/models", lambda route: held.append(route))
    keys = fails_once(page)
    page.reload()
    submit(page, "pressed early")
    expect(page.get_by_role("alert").filter(has_text="502")).to_be_visible()
    held[0].continue_()
    expect(page.locator("#model-note")).not_to_be_empty()
    press_again(page, "pressed early")
    assert keys == [keys[0]] * 2


def test_another_prompt_after_the_server_failed_is_another_job(idle_server: Server, open_page: OpenPage) -> None:
    page = open_page(idle_server.url)
    keys = fails_once(page)
    submit(page, "said so first")
    page.get_by_label("Prompt", exact=True).fill("then so")
    press_again(page, "then so")
    assert len(set(keys)) == 2


def test_the_theme_follows_the_system_until_one_is_chosen(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url, color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Switch to the light theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_a_phone_of_360_pixels_shows_everything_without_scrolling_sideways(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url, viewport={"width": 360, "height": 700})
    frame = submit(page, "lighthouse on a narrow rock")
    expect_status(frame, "completed")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    frame.get_by_role("link").click()
    expect(page.locator(".timeline")).to_contain_text("Completed")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
