"""Every crash point there is, read from the source: so none can be added that the campaign does not know."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import safelight
from safelight.telemetry.await_points import HELPERS, point_name

SOURCE = Path(safelight.__file__).parent
MOMENTS = ("before_commit", "after_commit")
NOT_IN_AN_ATTEMPT = frozenset(
    {
        "aftercare",
        "gate_view",
        "gatekeeper",
        "machine",
        "metrics_page",
        "metrics_server",
        "patience",
        "presence",
        "process",
        "release",
        "room",
        "runner",
        "servers",
        "watchdog",
    }
)
"""Modules of `worker/` whose coroutines are the process's own: those are not watched."""
WRITES = frozenset({"write", "write_first", "_all"})
"""Methods that are given a use case; `_all` is the sweeper's."""
DATABASES = frozenset({"database", "_database"})


@cache
def use_cases() -> list[str]:
    """Every use case that a process of ours awaits: each has a commit."""
    return sorted(set(_written()) & set(_on_transactions()))


def commit_points() -> list[str]:
    """`finish.before_commit`, `finish.after_commit` and so on."""
    return [f"{name}.{moment}" for name in use_cases() for moment in MOMENTS]


@cache
def await_points() -> list[str]:
    """Every await of the attempt and of what it calls in `worker/`, where it waits for somebody else."""
    trees = [_tree(path) for path in sorted((SOURCE / "worker").glob("*.py")) if _is_watched(path)]
    own = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.AsyncFunctionDef)}
    return sorted({name for tree in trees for name in _leaves(tree, own - HELPERS, "")})


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _is_watched(path: Path) -> bool:
    return path.stem not in NOT_IN_AN_ATTEMPT


def _on_transactions() -> Iterator[str]:
    """Functions and methods whose first argument is a transaction."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.FunctionDef) and [a.arg for a in node.args.args if a.arg != "self"][:1] == ["tx"]:
                yield node.name


def _written() -> Iterator[str]:
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(_tree(path)):
            match node:
                case ast.Call(func=ast.Attribute(attr=verb), args=[use_case, *_]) if verb in WRITES:
                    yield from _named(use_case)


def _named(use_case: ast.expr) -> Iterator[str]:
    match use_case:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            yield name


def _leaves(node: ast.AST, own: set[str], inside: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.ClassDef(name=name):
                yield from _leaves(child, own, f"{name}.")
            case ast.AsyncFunctionDef(name=name):
                if name not in HELPERS:
                    yield from _awaits(child, own, f"{inside}{name}")


def _awaits(function: ast.AsyncFunctionDef, own: set[str], name: str) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Await) and not _is_own(node.value, own):
            yield point_name(name, ast.unparse(node.value))


def _is_own(awaited: ast.expr, own: set[str]) -> bool:
    """Whether it waits for a coroutine of these very modules, which has points of its own."""
    match awaited:
        case ast.IfExp(body=one, orelse=other):
            return _is_own(one, own) and _is_own(other, own)
        case ast.Call(func=ast.Attribute(attr="reporter")):
            return True
        case ast.Call(func=ast.Attribute(attr=name, value=ast.Attribute(attr=owner))):
            return name in own and owner not in DATABASES
        case ast.Call(func=ast.Attribute(attr=name)) | ast.Call(func=ast.Name(id=name)):
            return name in own
    return False
