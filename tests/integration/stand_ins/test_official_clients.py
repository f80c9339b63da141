"""The stand-ins of Replicate and Hugging Face, driven by the clients that those two publish: no echo of our adapters.

ModelsLab publishes no client for its image interfaces, so nobody but our adapter speaks to its stand-in.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import httpx
import huggingface_hub
import pytest
import replicate
from huggingface_hub.errors import HfHubHTTPError
from PIL import Image
from replicate.exceptions import ModelError, ReplicateError

from safelight.testing.mishaps import Mishap, Where
from safelight.testing.serving import served
from safelight.testing.stand_in_huggingface import StandInHuggingFace
from safelight.testing.stand_in_replicate import StandInReplicate

KEY = "r8_not-a-key-of-anybody"
SCHNELL = "black-forest-labs/flux-schnell"


@pytest.fixture
def replicate_there() -> Iterator[StandInReplicate]:
    with served(StandInReplicate(key=KEY)) as stand_in:
        yield stand_in


@pytest.fixture
def replicate_client(replicate_there: StandInReplicate) -> Iterator[replicate.Client]:
    client = replicate.Client(api_token=KEY, base_url=replicate_there.url)
    client.poll_interval = 0.02
    yield client
    client._client.close()


class TestReplicate:
    """Its files are plain addresses here: the client makes objects only of those that begin with https."""

    def test_run_delivers_files(self, replicate_client: replicate.Client) -> None:
        made = replicate_client.run(SCHNELL, input={"prompt": "a lighthouse", "num_outputs": 2})
        assert [Image.open(io.BytesIO(httpx.get(url, trust_env=False).content)).size for url in made] == [
            (8, 8),
            (8, 8),
        ]

    def test_run_delivers_one_file_of_a_model_that_makes_one(self, replicate_client: replicate.Client) -> None:
        made = replicate_client.run("bytedance/seedance-1-pro", input={"prompt": "a harbour", "duration": 2})
        assert httpx.get(made).content[4:8] == b"ftyp"

    def test_a_prediction_is_created_polled_and_listed(
        self, replicate_client: replicate.Client, replicate_there: StandInReplicate
    ) -> None:
        begun = replicate_client.models.predictions.create(SCHNELL, input={"prompt": "a pier seconds=0.2"})
        assert begun.status == "starting"
        begun.wait()
        assert begun.status == "succeeded"
        assert begun.progress is not None
        assert begun.progress.percentage == 1.0
        assert [each.id for each in replicate_client.predictions.list()] == [begun.id]
        assert [billed.remote_id for billed in replicate_there.billed] == [begun.id]

    def test_a_version_is_run_too(self, replicate_client: replicate.Client) -> None:
        begun = replicate_client.predictions.create(version="f121d640bd28", input={"prompt": "a quay"})
        begun.wait()
        assert begun.status == "succeeded"

    def test_a_prediction_is_canceled(self, replicate_client: replicate.Client) -> None:
        begun = replicate_client.models.predictions.create(SCHNELL, input={"prompt": "a pier seconds=60"})
        begun.cancel()
        begun.reload()
        assert begun.status == "canceled"

    def test_a_model_that_fails_is_an_error_with_its_words(self, replicate_client: replicate.Client) -> None:
        with pytest.raises(ModelError, match="E1001"):
            replicate_client.run(SCHNELL, input={"prompt": "a pier mishap=fails"})

    @pytest.mark.parametrize(
        ("mishap", "status"),
        [(Mishap.BAD_KEY, 401), (Mishap.NO_MONEY, 402), (Mishap.INVALID, 422), (Mishap.RETIRED, 404)],
        ids=str,
    )
    def test_a_refusal_is_an_error_with_its_details(
        self,
        replicate_client: replicate.Client,
        replicate_there: StandInReplicate,
        mishap: Mishap,
        status: int,
    ) -> None:
        replicate_there.misbehave(mishap)
        with pytest.raises(ReplicateError) as raised:
            replicate_client.run(SCHNELL, input={"prompt": "a pier"})
        assert raised.value.status == status
        assert raised.value.detail == replicate_there.words[mishap].replace("{key}", KEY)
        assert replicate_there.billed == []

    def test_a_wrong_key_is_refused(self, replicate_there: StandInReplicate) -> None:
        client = replicate.Client(api_token="another", base_url=replicate_there.url)
        with pytest.raises(ReplicateError, match="Unauthenticated"):
            client.accounts.current()
        client._client.close()

    def test_the_account_is_known(self, replicate_client: replicate.Client) -> None:
        assert replicate_client.accounts.current().username == "stand-in"

    def test_a_file_is_uploaded(self, replicate_client: replicate.Client, replicate_there: StandInReplicate) -> None:
        uploaded = replicate_client.files.create(io.BytesIO(b"picture"))
        assert uploaded.urls["get"].startswith(replicate_there.url)
        assert b"picture" in replicate_there.uploads[uploaded.id]

    def test_the_client_waits_when_it_is_told_to(
        self, replicate_client: replicate.Client, replicate_there: StandInReplicate
    ) -> None:
        """Its polls are retried after 429; its POSTs never."""
        begun = replicate_client.models.predictions.create(SCHNELL, input={"prompt": "a pier"})
        replicate_there.misbehave(Mishap.OVERLOADED, where=Where.POLL)
        begun.reload()
        assert begun.status == "succeeded"


@pytest.fixture
def huggingface_there() -> Iterator[StandInHuggingFace]:
    with served(StandInHuggingFace(key=KEY)) as stand_in:
        yield stand_in


@pytest.fixture
def huggingface_client(huggingface_there: StandInHuggingFace) -> Iterator[huggingface_hub.InferenceClient]:
    model = f"{huggingface_there.url}/hf-inference/models/black-forest-labs/FLUX.1-dev"
    with huggingface_hub.InferenceClient(model=model, provider="hf-inference", api_key=KEY) as client:
        yield client
    huggingface_hub.close_session()


class TestHuggingFace:
    def test_a_picture_is_made(
        self, huggingface_client: huggingface_hub.InferenceClient, huggingface_there: StandInHuggingFace
    ) -> None:
        made = huggingface_client.text_to_image("a lighthouse", width=512, num_inference_steps=4, seed=7)
        assert made.size == (8, 8)
        asked = huggingface_there.posts[0].body
        assert asked["inputs"] == "a lighthouse"
        assert asked["parameters"] == {"width": 512, "num_inference_steps": 4, "seed": 7}
        assert len(huggingface_there.billed) == 1

    def test_a_picture_is_changed(
        self, huggingface_client: huggingface_hub.InferenceClient, huggingface_there: StandInHuggingFace
    ) -> None:
        made = huggingface_client.image_to_image(b"\x89PNG\r\n\x1a\n", prompt="a pier")
        assert made.size == (8, 8)
        assert huggingface_there.billed[0].prompt == "a pier"

    @pytest.mark.parametrize(
        ("mishap", "status"),
        [
            (Mishap.BAD_KEY, 401),
            (Mishap.NO_MONEY, 402),
            (Mishap.RETIRED, 410),
            (Mishap.INVALID, 422),
            (Mishap.BUSY, 429),
        ],
        ids=str,
    )
    def test_a_refusal_is_an_error_with_its_status(
        self,
        huggingface_client: huggingface_hub.InferenceClient,
        huggingface_there: StandInHuggingFace,
        mishap: Mishap,
        status: int,
    ) -> None:
        huggingface_there.misbehave(mishap)
        with pytest.raises(HfHubHTTPError) as raised:
            huggingface_client.text_to_image("a lighthouse")
        assert raised.value.response.status_code == status
        assert raised.value.request_id == huggingface_there.last_request_id
        assert huggingface_there.billed == []

    def test_the_hub_knows_whose_key_it_is(self, huggingface_there: StandInHuggingFace) -> None:
        hub = huggingface_hub.HfApi(endpoint=huggingface_there.url, token=KEY)
        assert hub.whoami()["name"] == "stand-in"
        assert hub.model_info("black-forest-labs/FLUX.1-dev").pipeline_tag == "text-to-image"
        huggingface_hub.close_session()
