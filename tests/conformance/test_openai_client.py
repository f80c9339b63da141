"""The official client of OpenAI against a real server: only the address and the key are changed."""

from __future__ import annotations

import asyncio
import base64
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from PIL import Image

from safelight.testing.pictures import tiny_png
from tests.support.cut_once import CutOnce
from tests.support.server import Installation, Running, installation
from tests.support.text_providers import Providers, with_text_providers

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "openai_client.py"
PICTURE: dict[str, Any] = {"model": "procedural", "size": "256x256", "extra_body": {"seed": 7}}
Made = tuple[Installation, Providers, Running]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """With stand-ins of the providers; it does not take prompts with the word `forbidden`."""
    folder = tmp_path_factory.mktemp("openai")
    (folder / "words.txt").write_text("forbidden\n")
    with with_text_providers(folder, refused_words=folder / "words.txt") as (found, providers):
        yield found, providers, found.serve()


def client_at(url: str, key: str = "any", **options: Any) -> OpenAI:
    return OpenAI(base_url=f"{url}/v1", api_key=key, http_client=httpx.Client(trust_env=False), **options)


@pytest.fixture(scope="module")
def client(made: Made) -> Iterator[OpenAI]:
    with client_at(made[0].url) as found:
        yield found


def size_of(data: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(data)).size


def test_pictures_come_in_the_answer_or_by_their_address(client: OpenAI) -> None:
    several = client.images.generate(prompt="a lighthouse", n=2, response_format="b64_json", **PICTURE)
    assert [size_of(base64.b64decode(each.b64_json or "")) for each in several.data or []] == [(256, 256)] * 2
    one = client.images.generate(prompt="a lighthouse", response_format="url", **PICTURE)
    (data,) = one.data or []
    assert data.b64_json is None
    assert size_of(httpx.get(data.url or "", trust_env=False).content) == (256, 256)


def test_pictures_are_edited(client: OpenAI) -> None:
    picture = ("a.png", tiny_png())
    made = client.images.edit(model="gpt-image-2", image=[picture, picture], prompt="bluer", mask=picture, n=1)
    assert base64.b64decode((made.data or [])[0].b64_json or "")


def test_texts_are_written_whole_and_in_pieces(client: OpenAI, made: Made) -> None:
    messages: Any = [{"role": "system", "content": "be kind"}, {"role": "user", "content": "a tale words=40 seconds=2"}]
    whole = client.chat.completions.create(model="gpt-4.1", messages=messages, temperature=0.5, max_tokens=200)
    assert whole.choices[0].finish_reason == "stop"
    assert whole.choices[0].message.content
    assert whole.usage is not None
    options: Any = {"include_usage": True}
    stream = client.chat.completions.create(model="gpt-4.1", messages=messages, stream=True, stream_options=options)
    chunks = list(stream)
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert len(pieces) > 1, "it is told while it is written"
    (job,) = made[0].request("GET", "/api/jobs?limit=1").json()["jobs"]
    assert "".join(pieces) == job["text"]
    assert chunks[-1].usage is not None


def test_models_are_listed_and_shown(client: OpenAI) -> None:
    assert {"procedural", "procedural-text", "gpt-image-2", "gpt-4.1"} <= {model.id for model in client.models.list()}
    assert client.models.retrieve("gpt-4.1").owned_by == "openai"


def test_its_error_classes_are_raised(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        client.images.generate(prompt="x", model="no-such")
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.BadRequestError) as wrong:
        client.images.generate(prompt="x", model="procedural", size="64x64")  # type: ignore[call-overload]
    assert (wrong.value.code, wrong.value.param) == ("invalid_value", "size")
    with pytest.raises(openai.BadRequestError) as refused:
        client.images.generate(prompt="a forbidden thing", model="procedural")
    assert refused.value.code == "content_policy_violation"
    with pytest.raises(openai.BadRequestError) as tools:
        client.chat.completions.create(
            model="procedural-text",
            messages=[{"role": "user", "content": "x"}],
            tools=[{"type": "function", "function": {"name": "look"}}],
        )
    assert tools.value.param == "tools"


def test_it_works_without_blocking_as_well(made: Made) -> None:
    async def ask() -> Any:
        http = httpx.AsyncClient(trust_env=False)
        async with AsyncOpenAI(base_url=f"{made[0].url}/v1", api_key="any", http_client=http) as asking:
            return await asyncio.gather(*(asking.images.generate(prompt=f"boat {n}", **PICTURE) for n in range(3)))

    assert all(answer.data[0].b64_json for answer in asyncio.run(ask()))


def test_a_connection_that_is_cut_after_the_submit_is_paid_once(made: Made) -> None:
    """The client sends its request again by itself, and gets the job that it made before."""
    prompt = "cut after the submit"
    found = made[0]

    def submitted() -> list[dict[str, Any]]:
        return [row for row in found.rows("SELECT number, prompt FROM jobs") if row["prompt"] == prompt]

    with CutOnce(found.url, submitted) as between, client_at(between.url) as client:
        answer = client.images.generate(prompt=prompt, **PICTURE)
    assert answer.data
    assert between.cuts == 1
    (job,) = submitted()
    holds = [row for row in found.rows("SELECT job FROM ledger WHERE kind = 'hold'") if row["job"] == job["number"]]
    assert len(holds) == 1


def test_the_example_runs(made: Made) -> None:
    run = subprocess.run(
        [sys.executable, str(EXAMPLE), f"{made[0].url}/v1"], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "procedural" in run.stdout


def test_keys_and_credits(tmp_path: Path) -> None:
    keys = "only-reads-only-reads:ann:read,has-no-credit-at-all:poor:jobs,has-used-its-rate-up:rich:jobs+admin"
    with installation(tmp_path, api_keys=keys, rate_limit="1/hour") as found:
        found.serve("--no-worker")
        with client_at(found.url, "of-nobody-at-all-nobody") as stranger, pytest.raises(openai.AuthenticationError):
            stranger.models.list()
        with client_at(found.url, "only-reads-only-reads") as reading, pytest.raises(openai.PermissionDeniedError):
            reading.models.list()
        with client_at(found.url, "has-no-credit-at-all") as asking, pytest.raises(openai.RateLimitError) as broke:
            asking.images.generate(prompt="x", **PICTURE)
        assert broke.value.code == "insufficient_quota"
        rich = {"Authorization": "Bearer has-used-its-rate-up"}
        grant = {"user_id": "rich", "amount": 100}
        found.request("POST", "/api/credits/grant", json=grant, headers={**rich, "Idempotency-Key": "rich-1"})
        body = {"kind": "image", "prompt": "the one of this hour"}
        assert found.request("POST", "/api/jobs", json=body, headers=rich).status_code == 202
        hasty_client = client_at(found.url, "has-used-its-rate-up", max_retries=0)
        with hasty_client as asking, pytest.raises(openai.RateLimitError) as hasty:
            asking.images.generate(prompt="x", **PICTURE)
        assert hasty.value.code == "rate_limit_exceeded"
        assert int(hasty.value.response.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("mishap", "raised", "code"),
    [
        ("content_rejected", openai.BadRequestError, "content_policy_violation"),
        ("invalid", openai.BadRequestError, "invalid_value"),
        ("retired", openai.NotFoundError, "model_not_found"),
        ("bad_key", openai.InternalServerError, "provider_unauthorized"),
    ],
)
def test_a_job_that_fails_tells_why_and_is_not_asked_for_again(
    made: Made, client: OpenAI, mishap: str, raised: type[openai.APIStatusError], code: str
) -> None:
    before = len(made[0].rows("SELECT number FROM jobs"))
    with pytest.raises(raised) as failed:
        client.images.generate(model="gpt-image-2", prompt=f"a cliff mishap={mishap}", n=1)
    assert failed.value.code == code
    assert failed.value.response.headers["x-should-retry"] == "false"
    assert len(made[0].rows("SELECT number FROM jobs")) == before + 1
