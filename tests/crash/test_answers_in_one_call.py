"""Providers that answer in one long call, and a worker killed in the middle: nobody knows, and nobody pays again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.sse import watching
from tests.support.text_providers import KEYS, MODELS, submit, with_text_providers

QUICK = {"lease_seconds": 2, "sweep_seconds": 0.5, "reconcile_seconds": 1}
PICTURE = {"kind": "image", "model": "gpt-image-2", "prompt": "a lighthouse mishap=hang"}


def tale(provider: str) -> dict[str, Any]:
    return {"kind": "text", "model": MODELS[provider], "prompt": "a tale words=200 seconds=60"}


@pytest.mark.parametrize(
    ("provider", "asked"),
    [("openai", PICTURE), *((provider, tale(provider)) for provider in MODELS)],
    ids=["openai-image", *(f"{provider}-text" for provider in MODELS)],
)
def test_a_worker_killed_between_the_request_and_its_answer_is_no_reason_to_pay_again(
    tmp_path: Path, provider: str, asked: dict[str, Any]
) -> None:
    with with_text_providers(tmp_path, **QUICK) as (made, providers):
        stand_in = providers.stand_ins[provider]
        made.serve("--no-worker")
        doomed = made.worker()
        job_id = submit(made, **asked)
        assert providers.sold.wait(30)
        if asked["kind"] == "text":
            with watching(made.url, job_id) as watch:
                watch.until("job.output")
        doomed.kill()
        other = made.worker()
        (job,) = made.until_ended([job_id])
        assert (job["status"], job["error"]["code"], job["error"]["provider"]) == (
            "failed",
            "provider_unknown",
            provider,
        )
        assert (job["credits"]["captured"], job["credits"]["held"]) == (0, 0)
        assert (len(stand_in.posts), len(stand_in.billed)) == (1, 1)
        (call,) = made.rows("SELECT state, provider FROM calls")
        assert call == {"state": "unknown", "provider": provider}
        assert bool(job["text"]) is (asked["kind"] == "text"), "what was written so far stays readable"
        said = [*doomed.lines, *other.lines, *doomed.noise, *other.noise, job]
        assert KEYS[provider] not in repr(said)
