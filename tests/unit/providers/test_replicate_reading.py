"""What Replicate's answers mean, read from bodies written after its documentation and its client's types."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from safelight.domain.outcomes import Done, ErrorClass, Pending, Rejected, RemoteFile
from safelight.providers.protocol import Generation, Input
from safelight.providers.replicate.inputs import input_of
from safelight.providers.replicate.reading import percent_in, read_created, read_prediction, read_refusal

ID = "gm3qorzdhgbfurvjtvhg6dckhu"
documented_starting: dict[str, Any] = {
    "id": ID,
    "model": "google/imagen-4-fast",
    "version": "hidden",
    "input": {"prompt": "a lighthouse"},
    "logs": "",
    "output": None,
    "data_removed": False,
    "error": None,
    "status": "starting",
    "created_at": "2026-11-26T18:35:42.6Z",
    "urls": {
        "cancel": f"https://api.replicate.com/v1/predictions/{ID}/cancel",
        "get": f"https://api.replicate.com/v1/predictions/{ID}",
    },
}
documented_tqdm = (
    "Using seed: 37104\n  0%|          | 0/30 [00:00<?, ?it/s]\n 47%|████▋     | 14/30 [00:02<00:02,  6.60it/s]"
)
documented_throttled = {"detail": "Request was throttled. Your rate limit resets in ~30s."}
documented_unauthenticated = {
    "title": "Unauthenticated",
    "detail": "You did not pass a valid authentication token",
    "status": 401,
}
documented_invalid = {
    "detail": '- input.aspect_ratio: aspect_ratio must be one of the following: "1:1", "16:9"\n',
    "status": 422,
    "title": "Input validation failed",
    "invalid_fields": [{"type": "value_error", "field": "input.aspect_ratio"}],
}


def prediction(**changes: Any) -> dict[str, Any]:
    return {**documented_starting, **changes}


def test_what_waits_or_runs_is_pending_under_its_id_with_the_progress_of_its_log() -> None:
    assert read_prediction(documented_starting) == Pending(ID, is_queued=True)
    assert read_prediction(prediction(status="processing", logs=documented_tqdm)) == Pending(ID, 0.47)


@pytest.mark.parametrize(
    ("logs", "percent"), [(None, None), ("", None), ("50% done", None), ("100%|██| 5/5", 1.0), ("250%|x|", 1.0)]
)
def test_only_a_progress_bar_is_progress(logs: str | None, percent: float | None) -> None:
    assert percent_in(logs) == percent


@pytest.mark.parametrize(
    ("output", "urls"),
    [
        ("https://replicate.delivery/xezq/a/out.mp4", ["https://replicate.delivery/xezq/a/out.mp4"]),
        (["https://replicate.delivery/a.png", "https://replicate.delivery/b.png"], None),
    ],
)
def test_one_address_or_several_are_files_to_fetch(output: Any, urls: list[str] | None) -> None:
    state = read_prediction(prediction(status="succeeded", output=output, metrics={"predict_time": 4.2}))
    assert isinstance(state, Done)
    assert state.outputs == tuple(RemoteFile(url) for url in urls or output)
    assert state.usage == {"predict_time": 4.2}
    assert state.request_id == ID


@pytest.mark.parametrize("output", [None, [], {"a": 1}, ["not an address"], 7])
def test_success_without_files_is_an_error_and_not_an_empty_delivery(output: Any) -> None:
    state = read_prediction(prediction(status="succeeded", output=output))
    assert isinstance(state, Rejected)
    assert state.error.error_class is ErrorClass.PROTOCOL


def test_files_that_were_deleted_are_said_to_be() -> None:
    state = read_prediction(prediction(status="succeeded", output=None, data_removed=True))
    assert isinstance(state, Rejected)
    assert (state.error.provider_code, "one hour" in state.error.message) == ("expired", True)


@pytest.mark.parametrize(
    ("status", "error", "error_class", "code"),
    [
        ("failed", "Prediction failed: out of memory (E1001)", ErrorClass.INVALID_REQUEST, "E1001"),
        ("failed", "The input or output was flagged as sensitive. (E005)", ErrorClass.CONTENT_REJECTED, "E005"),
        ("failed", "NSFW content detected. Try running it again", ErrorClass.CONTENT_REJECTED, "failed"),
        ("failed", "Timeout starting prediction (E6716)", ErrorClass.TIMEOUT, "E6716"),
        ("failed", "height must be divisible by 8", ErrorClass.INVALID_REQUEST, "failed"),
        ("failed", None, ErrorClass.INVALID_REQUEST, "failed"),
        ("canceled", None, ErrorClass.UNAVAILABLE, "canceled"),
        ("aborted", None, ErrorClass.UNAVAILABLE, "aborted"),
    ],
)
def test_what_is_over_without_files_is_rejected_in_its_own_words(
    status: str, error: str | None, error_class: ErrorClass, code: str
) -> None:
    state = read_prediction(prediction(status=status, error=error))
    assert isinstance(state, Rejected)
    assert (state.error.error_class, state.error.provider_code, state.error.request_id) == (error_class, code, ID)
    assert error is None or error in state.error.message


def test_an_unknown_status_is_an_error_when_it_is_polled_but_its_creation_was_accepted() -> None:
    unknown = prediction(status="contemplating")
    state = read_prediction(unknown)
    assert isinstance(state, Rejected)
    assert "contemplating" in state.error.message
    assert read_created(unknown) == Pending(ID)


@pytest.mark.parametrize("status", ["failed", "canceled", "aborted", "succeeded"])
def test_a_creation_was_accepted_although_it_is_over_without_files(status: str) -> None:
    over = prediction(status=status, error="Timeout starting prediction (E6716)")
    assert isinstance(read_prediction(over), Rejected)
    assert read_created(over) == Pending(ID)


def test_a_throttle_says_when_to_come_again_in_its_text() -> None:
    said = read_refusal(httpx.Response(429, json=documented_throttled))
    assert (said.retry_after_s, said.message) == (30.0, documented_throttled["detail"])


@pytest.mark.parametrize("body", [documented_unauthenticated, documented_invalid])
def test_a_refusal_is_told_in_its_detail(body: dict[str, Any]) -> None:
    assert read_refusal(httpx.Response(body["status"], json=body)).message == body["detail"].strip()


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"null"])
def test_a_refusal_without_words_has_none(content: bytes) -> None:
    assert read_refusal(httpx.Response(502, content=content)).message == ""


def test_parameters_go_under_the_names_of_each_model() -> None:
    picture = Input("image", b"png", "image/png", 8, 8)
    params = {"n": 2, "format": "jpeg", "seed": 7, "aspect_ratio": "16:9"}
    schnell = Generation("image", "black-forest-labs/flux-schnell", "x", params)
    assert input_of(schnell) == {
        "prompt": "x", "num_outputs": 2, "output_format": "jpg", "seed": 7, "aspect_ratio": "16:9",
    }  # fmt: skip
    seedream = input_of(Generation("image", "bytedance/seedream-4", "x", {"n": 3, "resolution": "2K"}, (picture,)))
    assert (seedream["max_images"], seedream["sequential_image_generation"]) == (3, "auto")
    assert (seedream["size"], "resolution" in seedream) == ("2K", False)
    assert seedream["image_input"] == ["data:image/png;base64,cG5n"]
    exact = {"width": 1440, "height": 960, "aspect_ratio": "1:1"}
    assert input_of(Generation("image", "black-forest-labs/flux-1.1-pro", "x", exact))["aspect_ratio"] == "custom"
    assert input_of(Generation("image", "bytedance/seedream-4", "x", {**exact, "resolution": "2K"}))["size"] == "custom"
    seedance = Generation("video", "bytedance/seedance-1-pro", "x", {"duration_s": 5, "fps": 24, "resolution": "480p"})
    assert input_of(seedance) == {"prompt": "x", "duration": 5, "fps": 24, "resolution": "480p"}
    bigger = Generation("upscale", "nightmareai/real-esrgan", "", {"scale": 4}, (picture,))
    assert input_of(bigger, {0: "https://api.replicate.com/v1/files/f"}) == {
        "scale": 4, "image": "https://api.replicate.com/v1/files/f",
    }  # fmt: skip
