"""The main job from outside: a prompt goes in over HTTP, a picture comes out, watched all the way."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from safelight.storage.provenance import read
from tests.support.server import Installation, installation
from tests.support.sse import watching

FIVE = ["a lighthouse at dusk", "a fox in the snow", "a city at night", "a sailing boat", "mountains at sunrise"]
SLOWEST_LOOK_S = 2.0
USUAL_LOOK_S = 0.25
QUICK_S = 0.5


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("first")) as found:
        found.serve()
        yield found


def picture(made: Installation, job: dict[str, Any]) -> bytes:
    """The file of a completed job."""
    assert job["status"] == "completed", job["error"]
    (asset,) = job["assets"]
    answer = httpx.get(asset["url"], trust_env=False)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, asset["mime"])
    return answer.content


def pixels(data: bytes) -> bytes:
    return Image.open(io.BytesIO(data)).convert("RGB").tobytes()


def test_a_prompt_becomes_a_picture_that_leads_back_to_its_job(made: Installation) -> None:
    body = {"kind": "image", "prompt": FIVE[0], "params": {"width": 512, "height": 320, "seed": 11}}
    submitted = made.request("POST", "/api/jobs", json=body)
    assert submitted.status_code == 202
    job_id = submitted.json()["id"]
    with watching(made.url, job_id) as watch:
        seen = watch.rest()
    assert seen[0].type == "snapshot"
    assert seen[-1].type == "job.completed"
    progress = [event.payload["progress"] for event in seen if event.type == "job.progress"]
    assert progress == sorted(progress)
    assert all(0 <= step <= 1 for step in progress)
    assert [event.id for event in seen] == sorted(event.id for event in seen)

    job = httpx.get(submitted.headers["Location"], trust_env=False).json()
    assert job == seen[-1].payload
    assert (job["progress"], job["stage"], job["attempt"]) == (1.0, "delivered", 1)
    assert job["credits"] == {"held": 0, "captured": 1, "released": 0}
    data = picture(made, job)
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.size) == ("PNG", (512, 320))
    found = read(data)
    assert found is not None
    assert (found.job_id, found.model, found.prompt, found.seed) == (job_id, "procedural", FIVE[0], 11)
    assert found.ai_generated is False
    assert job["assets"][0]["ai_generated"] is False


def test_a_preview_can_be_seen_while_a_picture_is_drawn(made: Installation) -> None:
    job_id = made.submit(width=2048, height=2048, n=10)
    with watching(made.url, job_id) as watch:
        preview = watch.until("job.preview")[-1]
        answer = httpx.get(preview.payload["preview_url"], trust_env=False)
    assert answer.status_code == 200
    assert Image.open(io.BytesIO(answer.content)).format == "WEBP"
    made.request("POST", f"/api/jobs/{job_id}/cancel")
    (job,) = made.until_ended([job_id])
    assert (job["status"], job["assets"]) == ("canceled", [])


def test_the_same_prompt_and_seed_give_the_same_pixels_and_other_prompts_others(made: Installation) -> None:
    first = made.until_ended([made.submit(prompt, seed=5) for prompt in FIVE])
    again = made.until_ended([made.submit(prompt, seed=5) for prompt in FIVE])
    drawn = [pixels(picture(made, job)) for job in first]
    assert drawn == [pixels(picture(made, job)) for job in again]
    assert len(set(drawn)) == len(FIVE)
    assert len({job["assets"][0]["id"] for job in [*first, *again]}) == 2 * len(FIVE)


def test_another_seed_gives_another_picture(made: Installation) -> None:
    jobs = made.until_ended([made.submit(FIVE[0], seed=seed) for seed in (1, 2, 3)])
    assert len({pixels(picture(made, job)) for job in jobs}) == 3


def test_30_jobs_at_once_all_complete_while_looking_at_one_stays_quick(made: Installation) -> None:
    ids = made.submit_many(30)
    waits: list[float] = []
    with httpx.Client(base_url=made.url, trust_env=False, timeout=30) as client:
        for watched in ids:
            with watching(made.url, watched, after=0) as watch:
                for _ in watch.live():
                    asked_at = time.perf_counter()
                    assert client.get(f"/api/jobs/{ids[-1]}").status_code in (200, 202)
                    waits.append(time.perf_counter() - asked_at)
    assert {job["status"] for job in made.until_ended(ids)} == {"completed"}
    waits.sort()
    assert waits[len(waits) // 2] < USUAL_LOOK_S, waits[-10:]
    assert waits[-1] < SLOWEST_LOOK_S, waits[-10:]


def test_what_is_asked_for_is_what_comes(made: Installation) -> None:
    for kind, (width, height) in {"webp": (256, 512), "jpeg": (600, 256), "png": (333, 257)}.items():
        job = made.until_ended([made.submit(format=kind, width=width, height=height)])[0]
        data = picture(made, job)
        image = Image.open(io.BytesIO(data))
        assert (image.format, image.size) == (kind.upper(), (width, height))
        found = read(data)
        assert found is not None
        assert found.job_id == job["id"]


def test_a_watcher_at_one_process_sees_at_once_what_another_one_draws(tmp_path: Path) -> None:
    with installation(tmp_path / "apart") as made:
        made.serve("--no-worker")
        made.worker()
        made.until_ended([made.submit("the first one starts the renderer")])
        delays = []
        for prompt in FIVE:
            with watching(made.url, made.submit(prompt)) as watch:
                seen = watch.rest()
                ended_s = time.time()
            assert seen[-1].type == "job.completed"
            delays.append(ended_s - datetime.fromisoformat(seen[-1].payload["finished_at"]).timestamp())
        assert sorted(delays)[2] < QUICK_S, delays
