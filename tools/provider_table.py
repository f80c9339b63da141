"""The table of `docs/providers.md`: what each adapter supports, as its conformance suite declares and tests it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator

from safelight.testing.mishaps import REFUSALS
from safelight.testing.remote_conformance import RemoteProviderConformance
from safelight.testing.support import Support
from tools.source_tree import ROOT

SUITES = ROOT / "tests" / "conformance"


def table() -> str:
    """One row for each declaration, in the order of their names."""
    rows = [_row(support) for support in sorted(_declared(), key=lambda support: support.title)]
    return "\n".join([_line(COLUMNS), _line(["---"] * len(COLUMNS)), *rows])


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
    ways = [("its list", support.finds), ("its webhook", support.hears), ("sending it again", support.idempotent)]
    return ", ".join(way for way, there in ways if there) or "nothing: it stays unknown"


def _yes(claim: bool) -> str:
    return "yes" if claim else "no"


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _declared() -> Iterator[Support]:
    """Each declaration once, however many suites share it."""
    seen = set[int]()
    for path in sorted(SUITES.glob("test_*.py")):
        module = importlib.import_module(f"tests.conformance.{path.stem}")
        for _, suite in inspect.getmembers(module, inspect.isclass):
            support = getattr(suite, "support", None)
            if issubclass(suite, RemoteProviderConformance) and support is not None and id(support) not in seen:
                seen.add(id(support))
                yield support
