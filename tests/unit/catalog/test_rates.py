"""Prices and costs: per job, image, second, megapixel and token, with other amounts by parameters."""

from __future__ import annotations

from typing import Any

import pytest

from safelight.catalog.rates import Cost, Price, Tokens, estimated_tokens, most_tokens, tokens_in


def price(**fields: Any) -> Price:
    return Price.model_validate(fields)


@pytest.mark.parametrize(
    ("fields", "params", "credits"),
    [
        ({"per": "job", "credits": 7}, {"n": 4}, 7),
        ({"per": "image", "credits": 3}, {"n": 4}, 12),
        ({"per": "image", "credits": 3}, {}, 3),
        ({"per": "image", "credits": 0.4}, {"n": 3}, 2),
        ({"per": "second", "credits": 15}, {"duration_s": 5}, 75),
        ({"per": "second", "credits": 0.5}, {"duration_s": 2.5}, 2),
        ({"per": "megapixel", "credits": 2}, {"width": 1000, "height": 1000}, 2),
        ({"per": "megapixel", "credits": 2}, {"width": 1000, "height": 1001}, 3),
        ({"per": "megapixel", "credits": 2, "factor": 0.5}, {"width": 2000, "height": 1000, "n": 2}, 4),
        ({"per": "megapixel", "credits": 1}, {"resolution": "1K", "aspect_ratio": "16:9"}, 2),
        ({"per": "megapixel", "credits": 1}, {"resolution": "1080p", "aspect_ratio": "16:9"}, 3),
        ({"per": "image", "credits": 0}, {"n": 4}, 0),
    ],
)
def test_a_sum_is_rounded_up_to_whole_credits(fields: Any, params: Any, credits: int) -> None:
    assert price(**fields).most(params) == credits


BY_QUALITY = {
    "per": "image",
    "credits": 20,
    "table": [
        {"when": {"quality": "low"}, "credits": 1},
        {"when": {"quality": "medium"}, "max_pixels": 1_048_576, "credits": 5},
        {"when": {"quality": "medium"}, "credits": 9},
    ],
}


@pytest.mark.parametrize(
    ("params", "credits"),
    [
        ({"quality": "low", "n": 3}, 3),
        ({"quality": "medium", "width": 1024, "height": 1024}, 5),
        ({"quality": "medium", "width": 1040, "height": 1024}, 9),
        ({"quality": "high", "n": 2}, 40),
    ],
)
def test_the_first_row_of_the_table_that_fits_sets_the_amount(params: Any, credits: int) -> None:
    assert price(**BY_QUALITY).most(params) == credits


PER_TOKEN = price(per="token", input_per_million=200, output_per_million=1000)


def test_a_token_price_holds_what_may_be_read_and_written_at_most() -> None:
    most = PER_TOKEN.most({"max_tokens": 4096}, "x" * 936)
    assert most == 5  # (936 + 64) * 200 + 4096 * 1000 = 4.296 million


def test_of_a_token_price_what_was_used_is_paid() -> None:
    def paid(usage: dict[str, Any]) -> int:
        return PER_TOKEN.used({}, usage, prompt="x", text="y")

    assert paid({"input_tokens": 1000, "output_tokens": 1800}) == 2
    assert paid({"prompt_tokens": 1, "completion_tokens": 1}) == 1
    assert paid({"input_tokens": 0, "output_tokens": 0}) == 0


def test_without_usage_four_bytes_count_as_a_token() -> None:
    assert estimated_tokens("x" * 9, "é" * 4) == Tokens(3, 2)
    assert PER_TOKEN.used({}, {}, prompt="x" * 4000, text="y" * 8000) == 3


def test_the_terms_of_a_price_can_be_kept_and_read_again() -> None:
    kept = PER_TOKEN.model_copy(update={"factor": 0.5}).model_dump_json(exclude_defaults=True)
    assert Price.model_validate_json(kept).used({}, {"output_tokens": 8000}, prompt="", text="") == 4


@pytest.mark.parametrize("word", ["one", "日本語のとても長い文", "\U0001f600" * 9])
def test_a_prompt_is_never_taken_for_fewer_tokens_than_it_has_bytes(word: str) -> None:
    assert most_tokens(word) >= len(word.encode())


def test_usage_is_read_by_the_names_that_providers_give_it() -> None:
    assert tokens_in({"input_tokens": 3, "output_tokens": 4}) == Tokens(3, 4)
    assert tokens_in({"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}) == Tokens(3, 4)
    assert tokens_in({"promptTokenCount": 3}) == Tokens(3, 0)
    assert tokens_in({"input_tokens": True, "output_tokens": "4"}) is None
    assert tokens_in({}) is None


def test_a_price_is_said_briefly() -> None:
    assert price(**BY_QUALITY).brief == "1-20 per image"
    assert price(per="second", credits=2, factor=0.5).brief == "1 per second"
    assert PER_TOKEN.brief == "200 in, 1000 out per million tokens"


def test_a_cost_is_estimated_before_the_call_and_corrected_by_its_usage() -> None:
    cost = Cost.model_validate({"per": "token", "input_per_million": 2.0, "output_per_million": 8.0})
    assert cost.estimate_usd({"max_tokens": 1000}, "x" * 36) == pytest.approx(0.0082)
    assert cost.used_usd({}, {"prompt_tokens": 100, "completion_tokens": 100}) == pytest.approx(0.001)
    assert cost.used_usd({}, {}) is None
    per_second = Cost.model_validate({"per": "second", "usd": 0.15})
    assert per_second.estimate_usd({"duration_s": 5}) == pytest.approx(0.75)
    assert per_second.used_usd({}, {"prompt_tokens": 1}) is None


def test_a_picture_is_estimated_by_its_size_and_its_cost_is_what_its_tokens_say() -> None:
    rates = {"input_per_million": 5.0, "picture_per_million": 8.0, "output_per_million": 30.0}
    cost = Cost.model_validate({"per": "megapixel", "usd": 0.2, **rates})
    assert cost.estimate_usd({"width": 1000, "height": 1000}) == pytest.approx(0.2)
    usage = {
        "input_tokens": 300,
        "output_tokens": 1000,
        "input_tokens_details": {"text_tokens": 100, "image_tokens": 200},
    }
    assert cost.used_usd({}, usage) == pytest.approx(0.0005 + 0.0016 + 0.03)
    assert cost.used_usd({}, {"input_tokens": 100, "output_tokens": 0}) == pytest.approx(0.0005)
    assert cost.used_usd({}, {}) is None
