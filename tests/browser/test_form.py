"""The form makes every kind of job, offers what the chosen model takes, and says what it would cost."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, Route, expect

from safelight.testing.serving import served
from safelight.testing.stand_in_replicate import StandInReplicate
from tests.browser.running import Server
from tests.browser.sheet import expect_picture, expect_status, frame_of, press_generate, submit

OpenPage = Callable[..., Page]
UNREAL_MODEL = {
    "id": "unreal",
    "kind": "image",
    "title": "Unreal",
    "description": "Takes every type of parameter.",
    "available": True,
    "default": True,
    "price": {"brief": "1 per image"},
    "inputs": {},
    "parameters": {
        "type": "object",
        "properties": {
            "quality": {"type": "string", "title": "Quality", "enum": ["low", "high"], "default": "low"},
            "steps": {"type": "integer", "title": "Steps", "minimum": 1, "maximum": 50},
            "guidance": {"type": "number", "title": "Guidance", "minimum": 0, "maximum": 10},
            "negative_prompt": {"type": "string", "title": "What to avoid", "maxLength": 2000},
            "camera_fixed": {"type": "boolean", "title": "Camera stands still", "default": False},
        },
    },
}


@pytest.fixture
def small_picture(tmp_path: Path) -> Path:
    path = tmp_path / "small.png"
    Image.new("RGB", (64, 48), "teal").save(path)
    return path


def test_a_text_is_asked_for_and_read(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url)
    page.get_by_text("Text", exact=True).click()
    expect(page.get_by_label("Size")).to_be_hidden()
    page.get_by_label("Most words to write").fill("60")
    frame = submit(page, "a letter from the lighthouse keeper")
    expect_status(frame, "completed")
    frame.get_by_role("link").click()
    expect(page.get_by_role("article").get_by_label("Text", exact=True)).not_to_be_empty()
    expect(page.get_by_role("article").locator("dl")).to_contain_text("60")


def test_a_film_is_asked_for_with_its_length(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url)
    page.get_by_text("Video", exact=True).click()
    page.get_by_label("Length in seconds").fill("1")
    page.get_by_text("More settings").click()
    page.get_by_label("Pictures per second").select_option("12")
    with page.expect_request(re.compile(r"/api/jobs$")) as asked:
        frame = submit(page, "waves under the moon", size=(128, 128))
    body = asked.value.post_data_json
    assert body["kind"] == "video"
    assert body["params"] == {"width": 128, "height": 128, "duration_s": 1, "fps": 12}
    expect_status(frame, "completed")


def test_an_uploaded_picture_is_made_larger(server: Server, open_page: OpenPage, small_picture: Path) -> None:
    page = open_page(server.url)
    page.get_by_text("Upscale", exact=True).click()
    expect(page.get_by_label("Prompt", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("#inputs-error")).not_to_be_empty()
    page.get_by_label("Choose a picture").set_input_files(small_picture)
    expect(page.locator(".brought")).to_contain_text("64 × 48")  # noqa: RUF001 (it is that sign)
    page.get_by_label("Model", exact=True).select_option("lanczos")
    expect(page.locator(".brought")).to_have_count(1)
    page.get_by_label("How many times as wide and high").select_option("2")
    frame = press_generate(page)
    expect(page.locator("#inputs-error")).to_be_empty()
    expect_status(frame, "completed")
    frame.get_by_role("link").click()
    expect(page.get_by_role("article").locator("dl")).to_contain_text("128 × 96")  # noqa: RUF001
    expect_picture(page.get_by_role("article").locator("img.before"))


def test_what_is_no_picture_is_explained_where_it_was_chosen(
    server: Server, open_page: OpenPage, tmp_path: Path
) -> None:
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    page = open_page(server.url)
    page.get_by_text("Upscale", exact=True).click()
    page.get_by_label("Choose a picture").set_input_files(tmp_path / "broken.png")
    expect(page.locator(".brought .field-error")).not_to_be_empty()
    page.get_by_role("button", name="Remove broken.png").click()
    expect(page.locator(".brought")).to_have_count(0)


def test_every_type_of_parameter_has_a_field_and_its_complaint_stands_there(
    idle_server: Server, open_page: OpenPage
) -> None:
    page = open_page("about:blank")
    page.route("**/api/models", lambda route: route.fulfill(json={"models": [UNREAL_MODEL]}))

    def refuse(route: Route) -> None:
        errors = {"params.steps": ["must be at most 50, got 99"], "prompt": ["is required"]}
        body = {"title": "A value is not allowed", "detail": "params.steps", "status": 422, "errors": errors}
        route.fulfill(status=422, json=body)

    page.goto(idle_server.url)
    page.get_by_text("More settings").click()
    page.get_by_label("Quality").select_option("high")
    page.get_by_label("Steps").fill("99")
    page.get_by_label("Guidance").fill("2.5")
    page.get_by_label("What to avoid").fill("people")
    page.get_by_label("Camera stands still").check()
    page.get_by_text("More settings").click()
    page.route(re.compile(r"/api/jobs$"), refuse)
    with page.expect_request(re.compile(r"/api/jobs$")) as asked:
        page.get_by_role("button", name="Generate").click()
    assert asked.value.post_data_json["params"] == {
        "quality": "high",
        "steps": 99,
        "guidance": 2.5,
        "negative_prompt": "people",
        "camera_fixed": True,
    }
    expect(page.locator("#param-steps-error")).to_have_text("Steps must be at most 50, got 99.")
    expect(page.get_by_label("Steps")).to_be_visible()
    expect(page.locator("#prompt-error")).to_have_text("Prompt is required.")


def test_what_was_typed_stays_when_another_model_takes_it(serve: Callable[..., Server], open_page: OpenPage) -> None:
    with served(StandInReplicate()) as stand_in:
        environ = {"REPLICATE_API_TOKEN": "r8-test", "SAFELIGHT_REPLICATE_BASE_URL": stand_in.url}
        page = open_page(serve("--no-worker", environ=environ).url)
        model = page.get_by_label("Model", exact=True)
        expect(model.locator("optgroup option").first).to_be_disabled()
        model.select_option("black-forest-labs/flux-1.1-pro")
        page.get_by_label("Seed", exact=True).fill("11")
        page.get_by_text("16:9", exact=True).click()
        model.select_option("google/imagen-4-fast")
        expect(page.get_by_label("Seed", exact=True)).to_be_hidden()
        expect(page.get_by_label("16:9")).to_be_checked()
        model.select_option("procedural")
        expect(page.get_by_label("Seed", exact=True)).to_have_value("11")


def test_the_price_is_said_before_and_what_is_too_dear_with_a_way_out(idle_server: Server, open_page: OpenPage) -> None:
    page = open_page(idle_server.url)
    expect(page.locator("#price")).to_have_text("1 credit")
    expect(page.locator("#balance")).to_contain_text("left")
    page.get_by_label("Number of pictures").fill("4")
    expect(page.locator("#price")).to_have_text("4 credits")
    poor = {"user_id": "local", "balance": 3, "held": 0, "available": 3}
    page.route("**/api/credits", lambda route: route.fulfill(json=poor))

    def too_dear(route: Route) -> None:
        route.fulfill(json={**route.fetch().json(), "affordable": False})

    page.route("**/api/jobs?dry_run=true", too_dear)
    page.reload()
    expect(page.get_by_label("Number of pictures")).to_have_value("4")  # a reload loses nothing
    expect(page.locator("#too-dear")).to_contain_text("costs 4 credits; 3 are left")
    expect(page.locator("#too-dear")).to_contain_text("safelight credits grant local 1")


def test_several_prompts_and_several_models_are_one_batch(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url)
    page.get_by_label("One prompt per line").check()
    page.get_by_label("Prompt", exact=True).fill("a red boat\n\na blue boat")
    page.get_by_text("Custom", exact=True).click()
    page.get_by_label("Width in pixels").fill("256")
    page.get_by_label("Height in pixels").fill("256")
    expect(page.locator("#price")).to_have_text("2 credits")
    page.get_by_role("button", name="Generate 2").click()
    frame = frame_of(page, "Batch of 2")
    expect_status(frame, "completed")
    page.reload()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("a red boat\n\na blue boat")


def test_a_picture_is_pasted(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url)
    page.get_by_text("Upscale", exact=True).click()
    page.evaluate(
        """() => new Promise((done) => {
          const canvas = Object.assign(document.createElement('canvas'), { width: 40, height: 30 });
          canvas.toBlob((blob) => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([blob], 'pasted.png', { type: 'image/png' }));
            document.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true }));
            done();
          });
        })"""
    )
    expect(page.locator(".brought")).to_contain_text("40 × 30")  # noqa: RUF001
    expect_picture(page.locator(".brought img"))
