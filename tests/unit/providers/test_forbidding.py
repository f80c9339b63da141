"""What a 403 forbids, in words written after the providers' documentation and their answers."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from safelight.domain.gates import Gate, Verdict, breaker, heard
from safelight.domain.outcomes import ErrorClass
from safelight.providers.anthropic.reading import read_refusal as of_anthropic
from safelight.providers.forbidding import forbidden
from safelight.providers.gemini.reading import read_refusal as of_gemini
from safelight.providers.huggingface.reading import read_refusal as of_huggingface
from safelight.providers.modelslab.reading import class_of
from safelight.providers.openai.refusing import read_refusal as of_openai
from safelight.providers.refusals import Refusal, refused
from safelight.providers.replicate.reading import read_refusal as of_replicate

documented_gated = "Cannot access gated repo for url https://huggingface.co/x. Your request is awaiting a review."
documented_restricted = "Access to model black-forest-labs/FLUX.1-dev is restricted and you are not authorized."
documented_unverified = "Your organization must be verified to use the model `gpt-image-1`. Please go to: https://x"
documented_method = (
    "This authentication method does not have sufficient permissions to call Inference Providers on behalf of user x"
)
documented_scopes = "You have insufficient permissions for this operation. Missing scopes: model.request"


@pytest.mark.parametrize(
    ("words", "error_class"),
    [
        (documented_gated, ErrorClass.MODEL_RETIRED),
        (documented_restricted, ErrorClass.MODEL_RETIRED),
        (documented_unverified, ErrorClass.MODEL_RETIRED),
        ("Project `proj_1` does not have access to model `gpt-4`", ErrorClass.MODEL_RETIRED),
        ("You do not have permission to access tuned model tunedModels/x", ErrorClass.MODEL_RETIRED),
        (documented_method, ErrorClass.UNAUTHORIZED),
        (documented_scopes, ErrorClass.UNAUTHORIZED),
        ("Your API key was reported as leaked.", ErrorClass.UNAUTHORIZED),
        ("Country, region, or territory not supported", ErrorClass.UNAUTHORIZED),
        ("Your account is suspended", ErrorClass.UNAUTHORIZED),
        ("Forbidden", ErrorClass.INVALID_REQUEST),
        ("", ErrorClass.INVALID_REQUEST),
    ],
)
def test_only_words_about_the_key_or_its_account_refuse_the_key(words: str, error_class: ErrorClass) -> None:
    assert forbidden(words) is error_class


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (of_huggingface, {"error": documented_gated}),
        (of_openai, {"error": {"message": documented_unverified, "type": "invalid_request_error", "code": None}}),
        (of_gemini, {"error": {"code": 403, "message": "No access to this model.", "status": "PERMISSION_DENIED"}}),
        (of_anthropic, {"type": "error", "error": {"type": "permission_error", "message": "No access to this model."}}),
        (of_replicate, {"title": "Forbidden", "detail": "You cannot run this model.", "status": 403}),
    ],
)
def test_one_closed_model_leaves_the_provider_open(read: Callable[[httpx.Response], Refusal], body: object) -> None:
    answer = httpx.Response(403, json=body)
    error = refused(answer, read(answer), "key").error
    assert error.error_class is ErrorClass.MODEL_RETIRED
    gate = Gate("openai/1", "openai", "1")
    assert breaker(heard(gate, Verdict("call", error), 100.0), 100.0) == breaker(gate, 100.0)


def test_a_plan_of_modelslab_that_lacks_a_model_leaves_the_provider_open() -> None:
    assert class_of("This model is not in your plan", 403) is ErrorClass.MODEL_RETIRED
