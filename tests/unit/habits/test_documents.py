"""What the documents point to exists: files they link, verbs of make they name."""

from __future__ import annotations

import re

import pytest

from tools.source_tree import ROOT, text_files

DOCUMENTS = {path: text for path, text in text_files() if path.endswith(".md")}
VERBS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_linked_file_exists(path: str) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)", DOCUMENTS[path])
    assert [target for target in targets if not (ROOT / path).parent.joinpath(target).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_verb_named_in_code_is_one_of_make(path: str) -> None:
    code = re.findall(r"`([^`\n]+)`|^(make .*)$", DOCUMENTS[path], re.MULTILINE)
    named = {verb for span in code for text in span for verb in re.findall(r"^make ([a-z-]+)", text)}
    assert named <= VERBS


def test_the_readme_begins_with_the_two_commands() -> None:
    lines = DOCUMENTS["README.md"].splitlines()[:4]
    assert [line.split("#")[0].strip() for line in lines] == ["```sh", "make run", "make test", "```"]


def test_every_verb_of_make_is_listed_with_a_line_of_help() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = set(re.findall(r"^\.PHONY: (.+)$", text, re.MULTILINE)[-1].split())
    parts_of_check = {"format-check", "lint", "types", "imports", "rules", "docs-check"}
    assert phony - parts_of_check == VERBS
