"""The table of `docs/providers.md`: what each adapter supports, as its conformance suite declares and tests it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

from safelight.testing.mishaps import REFUSALS
from safelight.testing.remote_conformance import RemoteProviderConformance
from safelight.testing.support import LocalSupport, Support
from tools.source_tree import ROOT

SUITES = ROOT / "tests" / "conformance"


def table() -> str:
    """One row for each declaration, in the order of their names."""
    rows = [_row(support) for support in sorted(_declared(), key=lambda support: support.title)]
    return "\n".join([_line(COLUMNS), _line(["---"] * len(COLUMNS)), *rows])


def local_table() -> str:
    """The adapters that work on this machine."""
    rows = {suite.local.title: _local_row(suite) for suite in _suites() if getattr(suite, "local", None)}
    lines = [_line(LOCAL_COLUMNS), _line(["---"] * len(LOCAL_COLUMNS))]
    return "\n".join([*lines, *(rows[title] for title in sorted(rows))])


LOCAL_COLUMNS = ("provider", "kind", "AI", "outputs a call", "shown on the way", "same seed, same bytes", "needs")


def _local_row(suite: Any) -> str:
    local: LocalSupport = suite.local
    on_the_way = "the text so far" if local.streams else "progress, previews" if local.previews else "progress"
    needs = f"the extra `{local.needs}`" if local.needs else "nothing"
    return _line([local.title, local.kind, _yes(local.is_ai), str(suite.most_outputs), on_the_way, "yes", needs])


COLUMNS = (
    "provider",
    "kinds",
    "starts from",
    "outputs a call",
    "the call goes on by itself (polled, resumed)",
    "can be stopped",
    "a lost answer is found by",
    "says how far it is",
    "refusals told apart",
    "stand-in also driven by",
)


def _row(support: Support) -> str:
    return _line(
        [
            support.title,
            ", ".join(support.kinds),
            ", ".join(f"`{role}`" for role in support.inputs) or "words only",
            str(support.most_outputs) if support.most_outputs > 1 else "1",
            _yes(support.asynchronous),
            _yes(support.cancels) if support.asynchronous else "by hanging up",
            _found_by(support),
            "the text so far" if support.streams else _yes(support.tells_progress),
            f"{len(support.refusals)} of {len(REFUSALS)}",
            f"`{support.driven_by}`" if support.driven_by else "nobody else",
        ]
    )


def _found_by(support: Support) -> str:
    ways = [("its list", support.finds), ("its webhook*", support.hears), ("sending it again", support.idempotent)]
    return ", ".join(way for way, there in ways if there) or "nothing: it stays unknown"


def _yes(claim: bool) -> str:
    return "yes" if claim else "no"


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _declared() -> Iterator[Support]:
    """Each declaration once, however many suites share it."""
    seen = set[int]()
    for suite in _suites():
        support = getattr(suite, "support", None)
        if issubclass(suite, RemoteProviderConformance) and support is not None and id(support) not in seen:
            seen.add(id(support))
            yield support


def _suites() -> Iterator[Any]:
    """Every class in the modules of the conformance tests."""
    for path in sorted(SUITES.glob("test_*.py")):
        module = importlib.import_module(f"tests.conformance.{path.stem}")
        for _, suite in inspect.getmembers(module, inspect.isclass):
            yield suite
