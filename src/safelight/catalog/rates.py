"""What a job costs its user in credits, and a call at its provider in US dollars: the same arithmetic.

Pure. A rate is per job, image, second of film, megapixel or token; its table may set other amounts by parameters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import Field, model_validator

from safelight.catalog.entry import Entry
from safelight.catalog.pixels import pixels_of

Unit = Literal["image", "job", "second", "megapixel", "token"]
USUAL_PIXELS = 1_048_576
"""Of a picture whose parameters do not say its size."""
TOKENS_PER_PICTURE = 5_000
"""What an input picture may cost a text model at most: the largest that Anthropic's rules lead to are about 4,800."""
PROMPT_EXTRA_TOKENS = 64
"""What a provider's own form adds to a prompt."""
_AMOUNT = Field(default=0.0, ge=0, allow_inf_nan=False, strict=True)


class Tokens(NamedTuple):
    """What a text model read and wrote."""

    input: int
    output: int


class _Row(Entry):
    """A line of a table: it counts where all parameters in `when` are as said, and the picture is not larger."""

    when: dict[str, str | int | float | bool] = Field(default_factory=dict)
    max_pixels: int | None = Field(default=None, ge=1)

    def fits(self, params: Mapping[str, Any]) -> bool:
        pixels = pixels_of(params) or USUAL_PIXELS
        return all(params.get(name) == value for name, value in self.when.items()) and (
            self.max_pixels is None or pixels <= self.max_pixels
        )


class PriceRow(_Row):
    credits: float = _AMOUNT


class CostRow(_Row):
    usd: float = _AMOUNT


class _Rate(Entry):
    per: Unit
    input_per_million: float = _AMOUNT
    output_per_million: float = _AMOUNT

    def measure(self, params: Mapping[str, Any], amount: float, tokens: Tokens) -> float:
        """The exact sum for complete parameters, where one unit costs `amount`."""
        images = int(params.get("n", 1))
        match self.per:
            case "job":
                return amount
            case "image":
                return amount * images
            case "second":
                return amount * float(params.get("duration_s", 1)) * images
            case "megapixel":
                return amount * (pixels_of(params) or USUAL_PIXELS) / 1_000_000 * images
            case "token":
                millions = self.input_per_million * tokens.input + self.output_per_million * tokens.output
                return amount + millions / 1_000_000


class Price(_Rate):
    """What users pay, in credits. Sums are rounded up to whole credits; of a token price `credits` comes on top."""

    credits: float = _AMOUNT
    table: tuple[PriceRow, ...] = ()
    """Amounts instead of `credits`: the first row that fits counts."""
    factor: float = Field(default=1.0, ge=0, allow_inf_nan=False, strict=True)
    """On everything, such as 0.5 for half the price."""

    @model_validator(mode="before")
    @classmethod
    def _says_how_much(cls, data: Any) -> Any:
        if isinstance(data, dict) and "per" in data:
            needed = ("input_per_million", "output_per_million") if data["per"] == "token" else ("credits",)
            if missing := [name for name in needed if name not in data]:
                raise ValueError(f"a price per {data['per']} needs {' and '.join(missing)}")
        return data

    def most(self, params: Mapping[str, Any], prompt: str = "", pictures: int = 0) -> int:
        """What a job is held at: for complete parameters, and of a token price for all it may read and write."""
        written = int(params.get("max_tokens", 0)) * int(params.get("n", 1))
        return self._total(params, Tokens(most_tokens(prompt) + TOKENS_PER_PICTURE * pictures, written))

    def used(self, params: Mapping[str, Any], usage: Mapping[str, Any], *, prompt: str, text: str) -> int:
        """What a delivered text has cost by its tokens. It may be more than what was held; that is the caller's."""
        return self._total(params, tokens_in(usage) or estimated_tokens(prompt, text))

    def _total(self, params: Mapping[str, Any], tokens: Tokens) -> int:
        amount = next((row.credits for row in self.table if row.fits(params)), self.credits)
        return math.ceil(round(self.measure(params, amount, tokens) * self.factor, 6))

    @property
    def by_usage(self) -> bool:
        """Whether what is paid is known only when the job has ended."""
        return self.per == "token"

    @property
    def brief(self) -> str:
        """`2 per image`, `3-15 per second`, `25 in, 150 out per million tokens`."""
        if self.per == "token":
            rates = self.input_per_million * self.factor, self.output_per_million * self.factor
            return "{:g} in, {:g} out per million tokens".format(*rates)
        amounts = sorted({amount * self.factor for amount in (self.credits, *(row.credits for row in self.table))})
        low, high = amounts[0], amounts[-1]
        return f"{low:g} per {self.per}" if low == high else f"{low:g}-{high:g} per {self.per}"


class Cost(_Rate):
    """What a provider is expected to charge, in US dollars.

    Rates per million tokens beside another unit: the expectation is by that unit, the cost by what was used.
    """

    usd: float = _AMOUNT
    table: tuple[CostRow, ...] = ()
    picture_per_million: float = _AMOUNT
    """Of input tokens that are pictures, where those cost more than words."""

    def estimate_usd(self, params: Mapping[str, Any], prompt: str = "", pictures: int = 0) -> float:
        """Before the call: of a token price for all it may read and write."""
        written = int(params.get("max_tokens", 0)) * int(params.get("n", 1))
        return self._total(params, Tokens(most_tokens(prompt) + TOKENS_PER_PICTURE * pictures, written))

    def used_usd(self, params: Mapping[str, Any], usage: Mapping[str, Any]) -> float | None:
        """After the call, by what it used; None where that is not known."""
        tokens = tokens_in(usage)
        if tokens is None or not (self.per == "token" or self.output_per_million):
            return None
        if self.per == "token":
            return self._total(params, tokens)
        details = usage.get("input_tokens_details")
        seen = _first_int(details, "image_tokens") or 0 if isinstance(details, Mapping) else 0
        read = self.input_per_million * (tokens.input - seen) + self.picture_per_million * seen
        return round((read + self.output_per_million * tokens.output) / 1_000_000, 9)

    def _total(self, params: Mapping[str, Any], tokens: Tokens) -> float:
        amount = next((row.usd for row in self.table if row.fits(params)), self.usd)
        return round(self.measure(params, amount, tokens), 9)


def tokens_in(usage: Mapping[str, Any]) -> Tokens | None:
    """Tokens as providers name them (`input_tokens`, `prompt_tokens`, ...); None where they are not told."""
    read = _first_int(usage, "input_tokens", "prompt_tokens", "promptTokenCount")
    written = _first_int(usage, "output_tokens", "completion_tokens", "candidatesTokenCount")
    if read is None and written is None:
        return None
    return Tokens(read or 0, written or 0)


def most_tokens(prompt: str) -> int:
    """More than any tokenizer makes of it: each token is at least one byte."""
    return len(prompt.encode("utf-8", "replace")) + PROMPT_EXTRA_TOKENS if prompt else 0


def estimated_tokens(prompt: str, text: str) -> Tokens:
    """Where a provider told no usage: four bytes to a token, as is usual."""
    return Tokens(_quarter(prompt), _quarter(text))


def _quarter(text: str) -> int:
    return math.ceil(len(text.encode("utf-8", "replace")) / 4)


def _first_int(usage: Mapping[str, Any], *names: str) -> int | None:
    found = (usage.get(name) for name in names)
    return next(
        (value for value in found if isinstance(value, int) and not isinstance(value, bool) and value >= 0), None
    )
