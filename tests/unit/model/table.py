"""The generated part of docs/promises.md. `python -m tests.unit.model.table` writes it; a test compares."""

from __future__ import annotations

from pathlib import Path

from tests.unit.model.variants import POLICIES, QUICKER, VARIANTS, Variant, in_full
from tools.build_docs import between_markers
from tools.source_tree import ROOT

DOCUMENT: Path = ROOT / "docs" / "promises.md"


def with_table(text: str) -> str:
    """The document with its figures between the markers."""
    worlds = [f"| `{policy}` | {in_full(policy).worlds:,} | none |" for policy in POLICIES]
    rows = [f"| {variant.sentence} | {variant.broken} | {len(_path(variant))} |" for variant in VARIANTS]
    stories = [line for variant in VARIANTS for line in _story(variant)]
    lines = [
        "| all rules, unknown calls | states | bad |",
        "|---|---|---|",
        *worlds,
        "",
        "| switched off | what then goes wrong | steps |",
        "|---|---|---|",
        *rows,
        "",
        "Without these nothing bad happens, it only takes longer: "
        + ", ".join(rule.replace("_", " ") for rule in QUICKER)
        + ".",
        "",
        "### The shortest way to each",
        "",
        *stories,
    ]
    return between_markers(text, "model", "\n".join(lines))


def _story(variant: Variant) -> list[str]:
    return [f'**Without "{variant.sentence}": {variant.broken}.**', "", f"{', '.join(_path(variant))}.", ""]


def _path(variant: Variant) -> tuple[str, ...]:
    return variant.found().bad[variant.broken]


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"Wrote {DOCUMENT.relative_to(ROOT)}.")
