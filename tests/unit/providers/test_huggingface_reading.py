"""What Hugging Face's answers mean, read from answers written after its documentation."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from safelight.domain.outcomes import ErrorClass, Rejected
from safelight.providers.huggingface.inputs import body_of
from safelight.providers.huggingface.reading import read_picture, read_refusal
from safelight.providers.protocol import Generation, Input
from safelight.providers.refusals import refused
from safelight.testing.pictures import tiny_png

URL = "https://router.huggingface.co/hf-inference/models/black-forest-labs/FLUX.1-dev"
documented_loading = {"error": "Model black-forest-labs/FLUX.1-dev is currently loading", "estimated_time": 20.0}
documented_gated = {"error": "Access to model black-forest-labs/FLUX.1-dev is restricted."}
documented_no_credit = {"error": "You have exceeded your monthly included credits for Inference Providers."}
documented_gone = {"error": "The requested model is deprecated and no longer supported by provider hf-inference."}
documented_old_host = {
    "error": "https://api-inference.huggingface.co is no longer supported. "
    "Please use https://router.huggingface.co/hf-inference instead."
}
documented_list = {"error": ["Error in `parameters.width`: ensure this value is less than or equal to 1536"]}


def answer(status: int, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, json=body, headers=headers, request=httpx.Request("POST", URL))


def rejection(status: int, body: Any, headers: dict[str, str] | None = None) -> Rejected:
    got = answer(status, body, headers)
    return refused(got, read_refusal(got), "key")


@pytest.mark.parametrize(
    ("status", "body", "error_class"),
    [
        (503, documented_loading, ErrorClass.COLD_START),
        (503, {"error": "Service Unavailable"}, ErrorClass.UNAVAILABLE),
        (403, documented_gated, ErrorClass.MODEL_RETIRED),
        (401, {"error": "Invalid credentials in Authorization header"}, ErrorClass.UNAUTHORIZED),
        (402, documented_no_credit, ErrorClass.OUT_OF_CREDIT),
        (410, documented_gone, ErrorClass.MODEL_RETIRED),
        (404, {"error": "Not Found"}, ErrorClass.MODEL_RETIRED),
        (400, {"error": "Model not supported by provider hf-inference"}, ErrorClass.MODEL_RETIRED),
        (410, documented_old_host, ErrorClass.INVALID_REQUEST),
        (422, documented_list, ErrorClass.INVALID_REQUEST),
        (400, {"error": {"message": "NSFW content detected"}}, ErrorClass.CONTENT_REJECTED),
    ],
)
def test_each_refusal_has_its_class_and_its_own_words(status: int, body: Any, error_class: ErrorClass) -> None:
    error = rejection(status, body).error
    assert error.error_class is error_class
    first = body["error"]
    words = first[0] if isinstance(first, list) else first["message"] if isinstance(first, dict) else first
    assert error.message == words


def test_a_cold_start_says_how_long_and_a_throttle_when_to_come_again() -> None:
    assert rejection(503, documented_loading).error.retry_after_s == 20.0
    assert rejection(429, {"error": "slow"}, {"RateLimit": '"api";r=0;t=55'}).error.retry_after_s == 55.0
    assert (
        rejection(429, {"error": "slow"}, {"RateLimit": '"api";r=0;t=55', "Retry-After": "9"}).error.retry_after_s == 9
    )
    assert rejection(429, {"error": "slow"}).error.retry_after_s is None


@pytest.mark.parametrize("status", [500, 502, 504])
def test_an_error_of_the_server_proves_nothing_and_keeps_its_words(status: int) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="CUDA out of memory"):
        rejection(status, {"error": "CUDA out of memory"})


def test_the_answer_is_the_picture_with_the_seed_that_was_asked_for() -> None:
    got = httpx.Response(200, content=tiny_png(), headers={"content-type": "image/png", "x-request-id": "r1"})
    done = read_picture(got, seed=7)
    assert (done.outputs[0].mime, done.outputs[0].metadata, done.request_id) == ("image/png", {"seed": 7}, "r1")  # type: ignore[union-attr]


@pytest.mark.parametrize("content", [b"", b"{}", b"<html>", b"RIFF\x24\x00\x00\x00WAVEfmt "])
def test_a_good_answer_that_is_no_picture_is_raised(content: bytes) -> None:
    with pytest.raises(ValueError, match="in place of a picture"):
        read_picture(httpx.Response(200, content=content))


def test_parameters_go_under_its_names_and_what_it_has_not_stays_out() -> None:
    params = {"n": 1, "format": "png", "steps": 4, "guidance": 3.5, "negative_prompt": "fog", "width": 512, "seed": 7}
    assert body_of(Generation("image", "m", "a pier", params)) == {
        "inputs": "a pier",
        "parameters": {
            "num_inference_steps": 4, "guidance_scale": 3.5, "negative_prompt": "fog", "width": 512, "seed": 7,
        },
    }  # fmt: skip
    edit = Generation("image", "m", "a pier", {}, (Input("image", b"png", "image/png", 8, 8),))
    assert body_of(edit) == {"inputs": "cG5n", "parameters": {"prompt": "a pier"}}
