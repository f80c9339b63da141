"""Texts from outside: asked for at three providers, read while they are written, explained where they fail."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from safelight.testing.mishaps import Mishap
from safelight.testing.pictures import tiny_png
from safelight.testing.stand_in_openai import StandInOpenAI
from tests.support.server import Installation, Running
from tests.support.sse import watching
from tests.support.text_providers import KEYS, MODELS, Providers, submit, with_text_providers

Made = tuple[Installation, Providers, Running]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with with_text_providers(tmp_path_factory.mktemp("texts")) as (installation, providers):
        yield installation, providers, installation.serve()


def ended(made: Made, **body: Any) -> dict[str, Any]:
    (job,) = made[0].until_ended([submit(made[0], **body)])
    return job


@pytest.mark.parametrize("provider", MODELS)
def test_a_text_is_read_while_it_is_written_and_paid_by_its_use(made: Made, provider: str) -> None:
    job_id = submit(made[0], kind="text", model=MODELS[provider], prompt="a tale words=60 seconds=3")
    text = ""
    with watching(made[0].url, job_id, after=0) as watch:
        events = watch.rest()
    pieces = [event.payload for event in events if event.type == "job.output"]
    assert len(pieces) > 1
    for piece in pieces:
        assert piece["offset"] == len(text)
        text += piece["text"]
    job = events[-1].payload
    assert (events[-1].type, job["text"]) == ("job.completed", text)
    assert text.startswith("Stand-in: ")
    assert text.endswith("\U0001f98a\u2028fin.")
    credits = job["credits"]
    assert credits["captured"] > 0
    assert credits["released"] > 0 or credits["captured"] == 1
    assert 0 < job["cost_usd"] < 0.01
    assert made[0].request("GET", f"/api/jobs/{job_id}").json()["text"] == text


def test_pictures_of_openai_are_stored_and_their_cost_is_recorded(made: Made) -> None:
    job = ended(made, kind="image", model="gpt-image-2", prompt="a lighthouse", params={"n": 2})
    assert (job["status"], len(job["assets"])) == ("completed", 2)
    assert job["cost_usd"] == pytest.approx((12 * 5 + 2 * 272 * 30) / 1_000_000), "by the tokens that the answer tells"


def test_a_picture_that_is_to_be_edited_reaches_openai_as_it_is(made: Made) -> None:
    picture, mask = (base64.b64encode(tiny_png(shade)).decode() for shade in (10, 200))
    inputs = [
        {"role": "image", "data_uri": f"data:image/png;base64,{picture}"},
        {"role": "mask", "data_uri": f"data:image/png;base64,{mask}"},
    ]
    job = ended(made, kind="image", model="gpt-image-2", prompt="a fox in it", inputs=inputs)
    assert (job["status"], len(job["assets"])) == ("completed", 1)
    stand_in = made[1].stand_ins["openai"]
    assert isinstance(stand_in, StandInOpenAI)
    assert [(name, data) for name, _, data in stand_in.edits[-1]] == [
        ("image[]", tiny_png(10)),
        ("mask", tiny_png(200)),
    ]


@pytest.mark.parametrize("provider", MODELS)
@pytest.mark.parametrize(
    ("mishap", "code"), [(Mishap.CONTENT_REJECTED, "content_rejected"), (Mishap.INVALID, "invalid_request")]
)
def test_what_a_provider_refuses_is_told_in_its_own_words(made: Made, provider: str, mishap: Mishap, code: str) -> None:
    stand_in = made[1].stand_ins[provider]
    posts_before = len(stand_in.posts)
    job = ended(made, kind="text", model=MODELS[provider], prompt=f"a tale mishap={mishap}")
    assert (job["status"], job["error"]["code"], job["error"]["provider"]) == ("failed", code, provider)
    assert stand_in.words[mishap] in job["error"]["provider_message"]
    assert job["credits"]["captured"] == 0
    assert len(stand_in.posts) - posts_before == 1


def test_a_text_that_ends_at_its_limit_says_so(made: Made) -> None:
    job = ended(made, kind="text", model=MODELS["openai"], prompt="a tale", params={"max_tokens": 3})
    assert (job["status"], [warning["code"] for warning in job["warnings"]]) == ("completed", ["cut_short"])


def test_the_older_route_takes_texts_too(made: Made) -> None:
    answer = made[0].request("POST", "/api/jobs/text-generation", json={"prompt": "a tale", "model": MODELS["openai"]})
    assert answer.status_code == 202
    (job,) = made[0].until_ended([answer.json()["jobId"]])
    assert (job["kind"], job["status"]) == ("text", "completed")


def test_no_key_is_in_any_log(made: Made) -> None:
    job = ended(made, kind="text", model=MODELS["openai"], prompt="a tale mishap=bad_key")
    assert job["error"]["code"] == "unauthorized"
    said = repr(
        [*made[2].lines, *made[2].noise, job, made[0].rows("SELECT * FROM calls"), made[0].rows("SELECT * FROM events")]
    )
    assert [key for key in KEYS.values() if key in said] == []
