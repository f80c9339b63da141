"""Generated documentation is written where it belongs, and a stale one is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.build_docs import Document, between_markers, out_of_date

README = "Before.\n<!-- table:begin -->\nold\n<!-- table:end -->\nAfter.\n"


def test_only_what_stands_between_the_markers_is_replaced() -> None:
    text = between_markers(README, "table", "new")
    assert text == "Before.\n<!-- table:begin -->\nnew\n<!-- table:end -->\nAfter.\n"
    assert between_markers(text, "table", "new") == text


def test_a_file_without_markers_is_an_error_and_not_overwritten() -> None:
    with pytest.raises(ValueError, match="table:begin"):
        between_markers("Before.\n", "table", "new")


def test_a_document_that_differs_from_the_program_is_out_of_date(tmp_path: Path) -> None:
    (tmp_path / "same.md").write_text("as it is", encoding="utf-8")
    (tmp_path / "stale.md").write_text("as it was", encoding="utf-8")
    documents = [Document(name, lambda _: "as it is") for name in ("same.md", "stale.md", "missing.md")]
    assert list(out_of_date(documents, tmp_path)) == [
        (tmp_path / "stale.md", "as it is"),
        (tmp_path / "missing.md", "as it is"),
    ]
