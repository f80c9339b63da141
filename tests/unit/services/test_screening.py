"""Prompt hooks: asked before anything is held; one that fails or hangs is answered by the operator's choice."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from safelight.domain.errors import BadSettings, ContentRejected, Unavailable
from safelight.services.screening import MOST_HANGING, Asked, NamedHook, PromptHook, Screen
from safelight.services.word_list import WordList, read_word_list


def asked(prompt: str) -> Asked:
    return Asked(prompt, "image", "procedural", "ann")


def check(*hooks: NamedHook, prompts: Sequence[str] = ("a cat",), on_failure: str = "refuse") -> None:
    screen = Screen(hooks, on_failure)  # type: ignore[arg-type]
    paths = [f"items[{n}].prompt" for n in range(len(prompts))]
    asyncio.run(screen.check([asked(prompt) for prompt in prompts], paths))


def hook(function: PromptHook, within_s: float = 5.0) -> NamedHook:
    return NamedHook("mine", function, within_s)


@pytest.mark.parametrize(
    "prompt",
    [
        "a naked ape",
        "NAKED!",
        "n\u200baked",
        "".join(chr(ord(letter) + 0xFEE0) for letter in "naked"),
        "Stra\u00dfe",
        "STRASSE",
        "cafe\u0301",
        "CAFÉ",
        "gun  \n shop",
    ],
)
def test_a_word_is_found_however_it_is_written(prompt: str) -> None:
    words = WordList(["naked  # people", "straße", "café", "gun shop", "", "# nothing"])
    assert words(asked(prompt)) is not None


@pytest.mark.parametrize("code", [0xFE0F, 0x034F, 0x115F, 0x1160, 0x3164, 0xFFA0, 0x180B, 0x200B, 0xE0100, 0x00AD])
def test_what_cannot_be_seen_hides_no_word(code: int) -> None:
    assert WordList(["naked", "café"])(asked(f"a na{chr(code)}ked cat")) is not None
    assert WordList(["naked", "café"])(asked(f"a cafe{chr(code)}\u0301")) is not None


@pytest.mark.parametrize("prompt", ["_naked_", "a_naked_cat", "naked_cat", "__naked"])
def test_an_underscore_ends_a_word(prompt: str) -> None:
    assert WordList(["naked"])(asked(prompt)) is not None


@pytest.mark.parametrize("prompt", ["snaked", "nakedness", "gun in a shop", "nothing", "n4k3d", "", "#"])
def test_other_words_are_let_through(prompt: str) -> None:
    assert WordList(["naked", "gun shop", "# nothing"])(asked(prompt)) is None


def test_the_reason_names_the_word() -> None:
    assert WordList(["naked"])(asked("Naked ape")) == "it holds 'naked', which is not allowed here"


def test_a_list_without_words_refuses_nothing() -> None:
    assert WordList(["# later"])(asked("anything")) is None


def test_a_list_that_cannot_be_read_is_said_at_start(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"none\.txt: No such file"):
        read_word_list(tmp_path / "none.txt")


def test_every_refused_prompt_is_named_by_its_path() -> None:
    with pytest.raises(ContentRejected) as caught:
        check(hook(WordList(["dog"])), prompts=["a cat", "a dog", "two cats", "Dog"])
    assert list(caught.value.errors) == ["items[1].prompt", "items[3].prompt"]
    assert "(1 more)" in caught.value.what


def test_the_first_hook_that_refuses_is_the_last_that_is_asked() -> None:
    second: list[Asked] = []
    with pytest.raises(ContentRejected, match="because"):
        check(hook(lambda _: "because"), hook(lambda each: second.append(each)))
    assert second == []


@pytest.mark.parametrize("broken", [lambda _: 1 / 0, lambda _: True], ids=["raises", "answers nonsense"])
def test_a_hook_that_fails_refuses_unless_the_operator_has_said_otherwise(broken: PromptHook) -> None:
    with pytest.raises(Unavailable, match="'mine' gave no answer"):
        check(hook(broken))
    check(hook(broken), on_failure="allow")


def test_a_hook_that_hangs_is_waited_for_no_longer_than_said_and_not_asked_for_ever() -> None:
    let_go, began = threading.Event(), threading.Semaphore(0)

    def hangs(_: Asked) -> None:
        began.release()
        let_go.wait(30.0)

    hanging = hook(hangs, within_s=0.01)
    try:
        for _ in range(MOST_HANGING):
            with pytest.raises(Unavailable):
                check(hanging)
            began.acquire()
        with pytest.raises(Unavailable):
            check(hanging)
        assert not began.acquire(blocking=False), "it was asked once more"
    finally:
        let_go.set()
