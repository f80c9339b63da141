"""What is Replicate's alone: inputs that are uploaded, versions, and how long a prediction may take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from safelight.domain.outcomes import Done, ErrorClass, Pending, Rejected, RemoteState
from safelight.providers.protocol import Generation, Input, NotSent
from safelight.providers.replicate.provider import IN_THE_TEXT_BYTES, ReplicateProvider
from safelight.testing.mishaps import Mishap, Where
from safelight.testing.provider_conformance import Listener
from safelight.testing.serving import served
from safelight.testing.stand_in_replicate import StandInReplicate

T = TypeVar("T")
LARGE, SMALL = b"\x89PNG" + b"x" * IN_THE_TEXT_BYTES, b"\x89PNG"


@pytest.fixture
def there() -> Iterator[StandInReplicate]:
    with served(StandInReplicate(key="r8_test")) as stand_in:
        yield stand_in


def asked(there: StandInReplicate, work: Callable[[ReplicateProvider], Coroutine[Any, Any, T]]) -> T:
    async def run() -> T:
        adapter = ReplicateProvider("r8_test", there.url)
        try:
            return await work(adapter)
        finally:
            await adapter.close()

    return asyncio.run(run())


def start(there: StandInReplicate, model: str, *pictures: bytes, kind: str = "image") -> RemoteState:
    inputs = tuple(Input("image", data, "image/png", 8, 8) for data in pictures)
    return asked(there, lambda a: a.start(Generation(kind, model, "a pier", {}, inputs), "call", Listener()))


def test_large_inputs_are_uploaded_first_each_under_its_own_address_and_small_ones_go_along(
    there: StandInReplicate,
) -> None:
    state = start(there, "bytedance/seedream-4", LARGE, SMALL, LARGE + b"another")
    assert isinstance(state, Pending)
    given = there.posts[0].body["input"]["image_input"]
    files = [f"{there.url}/v1/files/{name}" for name in there.uploads]
    assert given == [files[0], "data:image/png;base64,iVBORw==", files[1]]
    assert [LARGE in content for content in there.uploads.values()] == [True, True]
    assert len(there.billed) == 1


@pytest.mark.parametrize("mishap", [Mishap.CUT_BEFORE, Mishap.SERVER_ERROR, Mishap.GARBAGE], ids=str)
def test_an_input_that_cannot_be_uploaded_is_proof_that_nothing_was_sent(
    there: StandInReplicate, mishap: Mishap
) -> None:
    there.misbehave(mishap, where=Where.POLL)
    with pytest.raises(NotSent, match="could not be uploaded"):
        start(there, "nightmareai/real-esrgan", LARGE, kind="upscale")
    assert there.posts == []


def test_an_upload_that_is_refused_is_a_refusal(there: StandInReplicate) -> None:
    there.misbehave(Mishap.BAD_KEY, where=Where.POLL)
    state = start(there, "nightmareai/real-esrgan", LARGE, kind="upscale")
    assert isinstance(state, Rejected)
    assert state.error.error_class is ErrorClass.UNAUTHORIZED
    assert there.posts == []


def test_a_version_goes_to_its_own_address(there: StandInReplicate) -> None:
    start(there, "nightmareai/real-esrgan:f121d640bd28", SMALL, kind="upscale")
    (post,) = there.posts
    assert (post.path, post.body["version"]) == ("/v1/predictions", "f121d640bd28")


@pytest.mark.parametrize(("kind", "minutes"), [("image", "10m"), ("video", "30m"), ("upscale", "10m")])
def test_replicate_stops_by_itself_what_nobody_waits_for_any_more(
    there: StandInReplicate, kind: str, minutes: str
) -> None:
    start(there, "bytedance/seedance-1-pro", kind=kind)
    assert there.posts[0].headers["cancel-after"] == minutes


def test_files_that_replicate_has_deleted_are_an_error_that_says_why(there: StandInReplicate) -> None:
    async def play(adapter: ReplicateProvider) -> RemoteState:
        begun = await adapter.start(Generation("image", "google/imagen-4-fast", "a pier"), "call", Listener())
        assert isinstance(begun, Pending)
        assert isinstance(await adapter.poll(begun.remote_id), Done)
        there.forget_files(begun.remote_id)
        return await adapter.poll(begun.remote_id)

    state = asked(there, play)
    assert isinstance(state, Rejected)
    assert state.error.provider_code == "expired"
