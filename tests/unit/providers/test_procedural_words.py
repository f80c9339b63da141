"""What the renderer understands of a prompt."""

from __future__ import annotations

import pytest

from safelight.providers.procedural.scene import compose
from safelight.providers.procedural.subjects import SETTINGS
from safelight.providers.procedural.words import SUBJECTS, read_prompt


@pytest.mark.parametrize(
    ("prompt", "place", "subjects", "time", "weather"),
    [
        ("sunset over the ocean", "ocean", (), "sunset", "fair"),
        ("Medieval monk", "cloister", ("monk",), None, "fair"),
        ("neon city at night", "city", (), "night", "fair"),
        ("forest in fog", "forest", (), None, "fog"),
        ("medieval castle", "mountains", ("castle",), None, "fair"),
        ("storm at sea", "ocean", (), None, "storm"),
        ("two cats and a dog", "meadow", ("cat", "dog"), None, "fair"),
        ("a king before his castle at dawn", "mountains", ("portrait", "castle"), "dawn", "fair"),
        ("quarterly synergy", "abstract", (), None, "fair"),
    ],
)
def test_known_words_decide_the_scene(
    prompt: str, place: str, subjects: tuple[str, ...], time: str | None, weather: str
) -> None:
    scene = compose(prompt, 1)
    assert (scene.place, scene.subjects, scene.weather) == (place, subjects, weather)
    assert time in (None, scene.time)


def test_a_colour_right_before_the_subject_is_the_subjects_own() -> None:
    reading = read_prompt("a red sports car under a purple sky")
    assert reading.subject_colour == "red"
    assert reading.tints == ("purple",)


def test_words_that_mean_nothing_to_the_renderer_are_kept_as_unknown() -> None:
    assert read_prompt("a beautiful zebra on a hill").unknown == ("zebra",)


def test_every_subject_in_the_vocabulary_can_be_drawn() -> None:
    assert set(SUBJECTS) == set(SETTINGS)


def test_the_seed_decides_what_the_words_leave_open() -> None:
    scenes = [compose("mountains", seed) for seed in range(12)]
    assert len({scene.time for scene in scenes}) > 2
    assert len({round(scene.sun_x, 3) for scene in scenes}) == 12
