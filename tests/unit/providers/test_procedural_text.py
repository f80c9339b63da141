"""Composed text: the same for the same prompt and seed, about what was asked, labelled, and no longer than allowed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from safelight.domain.outcomes import Done, ErrorClass, Rejected
from safelight.providers.procedural import phrases
from safelight.providers.procedural.prose import LABEL, compose_text
from safelight.providers.procedural.text_provider import ProceduralTextProvider
from safelight.providers.procedural.tokens import cut, tokens
from safelight.providers.procedural.words import PLACES, SUBJECTS, TIMES, WEATHERS
from safelight.providers.protocol import Generation
from tests.support.watcher import Watcher


def written(prompt: str, watcher: Watcher | None = None, **params: Any) -> Done:
    generation = Generation("text", "procedural-text", prompt, params)
    state = asyncio.run(ProceduralTextProvider().start(generation, "call", watcher or Watcher()))
    assert isinstance(state, Done), state
    return state


def test_the_same_prompt_and_seed_give_the_same_text_and_another_seed_another() -> None:
    assert written("a fox in the snow", seed=7) == written("A  fox in the snow", seed=7)
    assert written("a fox in the snow", seed=7).text != written("a fox in the snow", seed=8).text


@pytest.mark.parametrize(
    "prompt", ["a castle at night", "write a haiku about rain", "five names for a shop", "xyzzy", ""]
)
def test_every_text_says_first_that_a_program_composed_it(prompt: str) -> None:
    text = written(prompt, seed=3).text
    assert text is not None
    assert text.startswith(LABEL)
    assert "Not AI" in LABEL
    assert len(text) > len(LABEL) + 40


def test_it_is_about_the_words_of_the_prompt() -> None:
    text = compose_text("an owl in the forest at night in the fog", 1)
    for table, word in ((phrases.TIMES, "night"), (phrases.WEATHERS, "fog"), (phrases.PLACES, "forest")):
        assert any(sentence in text for sentence in table[word]), word
    assert any(sentence in text for sentence in phrases.SUBJECTS["owl"])
    assert "coffee grinder" in compose_text("Write an essay about a coffee grinder", 1)


def test_a_haiku_has_three_lines_a_list_has_numbers() -> None:
    verses = compose_text("haiku about the ocean", 5).removeprefix(LABEL).strip().split("\n\n")
    assert [len(verse.splitlines()) for verse in verses] == [3, 3, 3]
    assert verses[0].startswith(phrases.FIVES_OF["ocean"])
    lines = compose_text("ideas for a birthday party", 5).removeprefix(LABEL).strip().splitlines()
    assert [line[:2] for line in lines] == ["1.", "2.", "3.", "4.", "5."]


def test_there_are_sentences_for_every_word_that_pictures_know() -> None:
    assert set(phrases.TIMES) == set(TIMES)
    assert set(phrases.WEATHERS) == set(WEATHERS)
    assert set(phrases.PLACES) == set(PLACES)
    assert set(phrases.SUBJECTS) == set(SUBJECTS)


def test_a_watcher_gets_all_of_the_text_so_far_each_time_and_progress_grows() -> None:
    watcher = Watcher()
    done = written("a lake at dawn", watcher, seed=2)
    assert len(watcher.texts) > 3
    assert all(later.startswith(earlier) for earlier, later in zip(watcher.texts, watcher.texts[1:], strict=False))
    assert watcher.texts[-1] == done.text
    shares = [progress for progress, _ in watcher.seen]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_no_more_tokens_are_written_than_allowed_and_usage_says_why_it_ended() -> None:
    short, whole = written("a lake at dawn", seed=2, max_tokens=20), written("a lake at dawn", seed=2)
    assert short.usage == {"input_tokens": 4, "output_tokens": 20, "finish_reason": "length"}
    assert whole.usage["finish_reason"] == "stop"
    assert whole.text is not None
    assert short.text is not None
    assert whole.text.startswith(short.text)
    assert whole.usage["output_tokens"] == len(tokens(whole.text.removeprefix(LABEL)))
    assert (short.cut_short, whole.cut_short) == (True, False)


@pytest.mark.parametrize("limit", [1, 5])
def test_no_limit_cuts_the_label(limit: int) -> None:
    short = written("a lake at dawn", seed=2, max_tokens=limit)
    assert short.text is not None
    assert short.text.startswith(f"{LABEL}\n\n")
    assert (short.usage["output_tokens"], short.cut_short) == (limit, True)


def test_a_text_is_cut_between_tokens_only() -> None:
    assert cut("One, two.\n", 9) == "One, two.\n"
    assert cut("One, two.", 3) == "One, two"


def test_a_report_that_says_no_stops_it() -> None:
    watcher = Watcher(stop_at=2)
    state = asyncio.run(
        ProceduralTextProvider().start(Generation("text", "procedural-text", "a lake", {}), "call", watcher)
    )
    assert isinstance(state, Rejected)
    assert (state.error.error_class, state.error.message) == (ErrorClass.UNAVAILABLE, "stopped")
    assert len(watcher.seen) == 2


@pytest.mark.parametrize(
    ("kind", "params", "word"),
    [("image", {}, "kind 'image'"), ("text", {"seed": "x"}, "seed"), ("text", {"max_tokens": 0}, "max_tokens")],
)
def test_what_it_cannot_write_is_refused_by_name(kind: str, params: dict[str, Any], word: str) -> None:
    state = asyncio.run(
        ProceduralTextProvider().start(Generation(kind, "procedural-text", "a", params), "c", Watcher())
    )
    assert isinstance(state, Rejected)
    assert state.error.error_class is ErrorClass.INVALID_REQUEST
    assert word in state.error.message


def test_composing_imports_nothing_heavy() -> None:
    program = (
        "import sys, safelight.providers.procedural.text_provider\n"
        "print([name for name in ('numpy', 'PIL') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.strip() == "[]"
