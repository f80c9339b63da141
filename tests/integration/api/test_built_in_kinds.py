"""Without a key in the environment all five kinds work, end to end; without the extras what remains says so."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from safelight import adapters as composition
from tests.support.door import Door

SMALL_FILM = {"width": 128, "height": 128, "duration_s": 1, "fps": 12}


def picture() -> str:
    buffer = BytesIO()
    Image.linear_gradient("L").resize((40, 30)).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def submit(door: Door, **body: Any) -> str:
    answer = door.post("/api/jobs", json=body)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return str(job["id"])


def test_pictures_films_texts_larger_pictures_and_batches_are_made_without_any_key(door: Door) -> None:
    upscale = {"kind": "upscale", "params": {"scale": 2}, "inputs": [{"role": "image", "data_uri": picture()}]}
    asked = {
        "image": submit(door, kind="image", prompt="a lake", params={"width": 256, "height": 256}),
        "video": submit(door, kind="video", prompt="a lake", params=SMALL_FILM),
        "text": submit(door, kind="text", prompt="a lake"),
        "upscale": submit(door, **upscale),
    }
    answer = door.post(
        "/api/jobs/batch-generation",
        json={
            "items": [{"kind": "text", "prompt": "a lake"}, {"kind": "video", "prompt": "dunes", "params": SMALL_FILM}]
        },
    )
    assert answer.status_code == 202, answer.text
    with door.working():
        ended = {kind: door.until_ended(job) for kind, job in asked.items()}
        batch = door.until_ended(answer.json()["id"])
    assert {kind: (job["status"], job["model"]) for kind, job in ended.items()} == {
        "image": ("completed", "procedural"),
        "video": ("completed", "procedural-video"),
        "text": ("completed", "procedural-text"),
        "upscale": ("completed", "realesrgan"),
    }
    assert (batch["status"], batch["items"]["by_status"]) == ("completed", {"completed": 2})
    assert "Not AI" in ended["text"]["text"]
    (film,), (larger,) = ended["video"]["assets"], ended["upscale"]["assets"]
    assert (film["mime"], film["width"], film["height"], film["duration_s"]) == ("video/mp4", 128, 128, 1)
    assert (larger["width"], larger["height"], larger["ai_generated"]) == (80, 60, True)
    assert [ended[kind]["assets"][0]["ai_generated"] for kind in ("image", "video")] == [False, False]
    with av.open(BytesIO(door.get(film["url"]).content)) as container:
        assert len(list(container.decode(video=0))) == 12
    assert Image.open(BytesIO(door.get(film["thumbnail_url"]).content)).size == (128, 128)


@pytest.fixture
def bare_door(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """An installation whose machine has none of the extras."""
    monkeypatch.setattr(composition, "find_spec", lambda module: None)
    opened = Door(tmp_path, sqlite_url)
    yield opened
    opened.close()


def test_without_the_extras_upscaling_falls_back_to_lanczos_and_what_is_missing_is_named(bare_door: Door) -> None:
    upscale = {"kind": "upscale", "params": {"scale": 2}, "inputs": [{"role": "image", "data_uri": picture()}]}
    fallback = submit(bare_door, **upscale)
    with bare_door.working():
        job = bare_door.until_ended(fallback)
    assert (job["model"], job["status"], job["assets"][0]["ai_generated"]) == ("lanczos", "completed", False)
    by_name = bare_door.post("/api/jobs", json={**upscale, "model": "realesrgan"})
    assert by_name.json()["code"] == "model_unavailable"
    assert "the extra local-upscale is not installed" in by_name.text
    film = bare_door.post("/api/jobs", json={"kind": "video", "prompt": "a lake"})
    assert film.json()["code"] == "model_unavailable"
    listed = {model["id"]: model for model in bare_door.get("/api/models").json()["models"]}
    assert not listed["procedural-video"]["available"]
    assert "the extra video is not installed" in str(listed["procedural-video"])
