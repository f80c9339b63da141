"""The renderer itself: pictures follow from prompt, seed and size alone, and differ when these do."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from safelight.providers.procedural.render import render
from safelight.providers.procedural.scene import compose

PROMPTS = (
    "sunset over the ocean", "medieval monk", "neon city at night", "forest in fog", "a castle", "a planet",
    "mountains", "sand dunes", "a meadow in spring", "storm at sea", "a red car", "a cat", "portrait of a woman",
)  # fmt: skip
Pixels = NDArray[np.uint8]


def draw(prompt: str, seed: int = 1, width: int = 256, height: int = 256) -> Image.Image:
    for stage in render(compose(prompt, seed), width, height):
        last = stage
    return last.canvas.image()


def thumb(picture: Image.Image, side: int = 16) -> NDArray[np.float32]:
    return np.asarray(picture.resize((side, side), Image.Resampling.BOX), np.float32) / 255


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean distance of coarse colours: 0 the same, about 0.3 for unrelated pictures."""
    return float(np.abs(thumb(one) - thumb(other)).mean())


def test_the_same_prompt_seed_and_size_give_the_same_pixels() -> None:
    for prompt in PROMPTS:
        assert draw(prompt).tobytes() == draw(prompt).tobytes(), prompt


def test_letter_case_and_spacing_do_not_matter() -> None:
    assert draw("Sunset  over the OCEAN ").tobytes() == draw("sunset over the ocean").tobytes()


def test_different_prompts_give_clearly_different_pictures() -> None:
    pictures = {prompt: draw(prompt) for prompt in PROMPTS}
    for at, one in enumerate(PROMPTS):
        for other in PROMPTS[at + 1 :]:
            assert difference(pictures[one], pictures[other]) > 0.05, (one, other)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_another_seed_gives_another_composition(prompt: str) -> None:
    assert max(difference(draw(prompt, 1), draw(prompt, seed)) for seed in (2, 3, 4)) > 0.03


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_small_picture_previews_the_large_one(prompt: str) -> None:
    large, small = draw(prompt, 1, 512, 512), draw(prompt, 1, 256, 256)
    assert difference(large, small) < 0.02


@pytest.mark.parametrize("size", [(256, 256), (2048, 256), (256, 1024), (300, 500), (777, 333)])
def test_any_size_and_shape_can_be_drawn(size: tuple[int, int]) -> None:
    for prompt in PROMPTS[::3]:
        assert draw(prompt, 1, *size).size == size


def test_unknown_words_give_pictures_of_their_own() -> None:
    unknown = ["zxqv", "quarterly synergy", "flurb wobbit", "Ontologie", "поезд", "夢"]
    pictures = [draw(prompt) for prompt in unknown]
    for at, one in enumerate(pictures):
        assert np.asarray(one, np.float32).std() > 12, unknown[at]
        for other in pictures[at + 1 :]:
            assert difference(one, other) > 0.03


@pytest.mark.parametrize("prompt", [" ", ".", "🐈‍⬛✨", "\ud800 lone", "a\x00b", "ocean " * 1333, "ß" * 8000])
def test_odd_prompts_are_drawn_like_any_other(prompt: str) -> None:
    assert np.asarray(draw(prompt), np.float32).std() > 8


@pytest.mark.parametrize("seed", [0, -1, 2**63, 10**40])
def test_any_whole_number_is_a_seed(seed: int) -> None:
    assert draw("lake", seed).size == (256, 256)


def test_time_of_day_changes_the_light() -> None:
    noon, night = draw("meadow at noon"), draw("meadow at night")
    assert np.asarray(noon, np.float32).mean() > 1.8 * np.asarray(night, np.float32).mean()


def test_stages_follow_one_another_and_end_with_the_picture() -> None:
    shares = [stage.progress for stage in render(compose("castle at dusk", 3), 256, 256)]
    assert shares == sorted(set(shares))
    assert shares[-1] == 1.0
    assert len(shares) >= 4
