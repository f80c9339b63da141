"""What ModelsLab's answers mean, read from bodies written after its documentation."""

from __future__ import annotations

from typing import Any

import pytest

from safelight.domain.outcomes import Done, ErrorClass, Pending, Rejected
from safelight.providers.modelslab.naming import fetch_path, name_in, track_id, version_and_model
from safelight.providers.modelslab.reading import class_of, read_created, read_generation

documented_success = {
    "status": "success",
    "generationTime": 1.3,
    "id": 12202888,
    "output": ["https://pub-3626.r2.dev/generations/e5cd86d3.png"],
    "proxy_links": ["https://cdn2.stablediffusionapi.com/generations/e5cd86d3.png"],
    "meta": {"prompt": "a lighthouse", "seed": 3499575229, "H": 512, "W": 512},
}
documented_processing = {
    "status": "processing",
    "tip": "Your image is processing in background, you can get this image using fetch API",
    "eta": 10,
    "messege": "Try to fetch request after seconds estimated",
    "fetch_result": "https://modelslab.com/api/v6/images/fetch/13443927",
    "id": 13443927,
    "output": [],
    "future_links": ["https://pub-3626.r2.dev/generations/80ea.png"],
}
documented_misspelt = {"status": "error", "messege": "Invalid API Key", "output": ""}
documented_fields = {"status": "error", "message": {"prompt": ["The prompt field is required."]}}
documented_failed = {"status": "failed", "id": 7, "message": "Something went wrong in generating the image"}


def error_of(state: Any) -> Any:
    assert isinstance(state, Rejected), state
    return state.error


def test_what_is_made_is_addresses_with_the_seed_it_was_made_with() -> None:
    state = read_generation(documented_success, "v7")
    assert isinstance(state, Done)
    assert [(file.url, file.metadata) for file in state.outputs] == [  # type: ignore[union-attr]
        (documented_success["output"][0], {"seed": 3499575229})  # type: ignore[index]
    ]
    assert all(file.may_come_later for file in state.outputs)  # type: ignore[union-attr]
    assert state.request_id == "v7/images/12202888"


def test_what_is_in_work_is_pending_under_a_name_that_says_where_to_ask() -> None:
    state = read_generation(documented_processing, "v6")
    assert state == Pending("v6/images/13443927")
    assert fetch_path("v6/images/13443927") == "/api/v6/images/fetch/13443927"
    assert read_generation(documented_processing, "", named="v6/images/13443927") == state


def test_the_links_of_what_is_in_work_are_not_taken_for_files() -> None:
    assert isinstance(read_generation({**documented_processing, "output": None}, "v7"), Pending)
    queued = read_generation({**documented_processing, "status": "queued"}, "v7")
    assert isinstance(queued, Pending)
    assert queued.is_queued


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (documented_misspelt, "Invalid API Key"),
        (documented_fields, "prompt: The prompt field is required."),
        (documented_failed, "Something went wrong in generating the image"),
        ({"status": "error"}, "The generation failed."),
    ],
)
def test_an_error_is_over_at_once_with_its_words_however_they_are_spelt(body: dict[str, Any], words: str) -> None:
    assert error_of(read_generation(body, "v7")).message == words


@pytest.mark.parametrize(
    ("words", "error_class"),
    [
        ("Invalid API Key", ErrorClass.UNAUTHORIZED),
        ("Insufficient credits. Please add more credits to continue.", ErrorClass.OUT_OF_CREDIT),
        ("Your subscription has expired", ErrorClass.OUT_OF_CREDIT),
        ("Rate limit exceeded", ErrorClass.RATE_LIMITED),
        ("NSFW content detected", ErrorClass.CONTENT_REJECTED),
        ("Model not found", ErrorClass.MODEL_RETIRED),
        ("Server is busy, try again later", ErrorClass.UNAVAILABLE),
        ("The height must be divisible by 8", ErrorClass.INVALID_REQUEST),
    ],
)
def test_an_error_is_classified_by_what_it_says(words: str, error_class: ErrorClass) -> None:
    assert class_of(words) is error_class


@pytest.mark.parametrize("output", [None, [], "", ["nothing"], [None], {}])
def test_success_without_files_is_an_error(output: Any) -> None:
    error = error_of(read_generation({**documented_success, "output": output}, "v7"))
    assert error.error_class is ErrorClass.PROTOCOL


def test_a_status_that_nobody_knows_is_asked_for_once_more_and_then_an_error() -> None:
    strange = {**documented_processing, "status": "contemplating"}
    assert read_created(strange, "v7") == Pending("v7/images/13443927")
    assert "contemplating" in error_of(read_generation(strange, "", named="v7/images/13443927")).message


@pytest.mark.parametrize(
    "body", [documented_failed, {**documented_failed, "status": "error"}, {**documented_success, "id": 7, "output": []}]
)
def test_a_creation_with_a_name_was_accepted_whatever_became_of_it(body: dict[str, Any]) -> None:
    assert read_created(body, "v7") == Pending("v7/images/7")
    error_of(read_generation(body, "", named="v7/images/7"))


@pytest.mark.parametrize("number", [None, "", "../7"])
def test_an_error_without_a_name_that_can_be_asked_for_was_not_accepted(number: Any) -> None:
    error_of(read_created({**documented_failed, "id": number}, "v7"))


@pytest.mark.parametrize("body", [{"status": "processing"}, {}, {"id": 7}])
def test_an_answer_without_a_name_or_a_status_is_raised(body: dict[str, Any]) -> None:
    with pytest.raises(KeyError):
        read_generation(body, "v7")


def test_our_own_id_brings_back_the_version_in_a_webhook() -> None:
    assert version_and_model("v6:sdxl") == ("v6", "sdxl")
    assert version_and_model("flux") == ("v7", "flux")
    assert track_id("call-1", "v7") == "call-1"
    assert name_in({"id": 7, "track_id": track_id("call-1", "v6")}) == "v6/images/7"
    assert name_in({"id": "7", "track_id": "call-1"}) == "v7/images/7"


@pytest.mark.parametrize("name", ["no-such-generation", "v7/images/../7", "v8/images/7", "v7/images/", "/images/7"])
def test_a_name_that_it_never_gave_is_no_path(name: str) -> None:
    assert fetch_path(name) is None
