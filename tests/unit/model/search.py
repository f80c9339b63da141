"""Breadth-first search through every world that can come about: so a path to a bad one is a shortest path.

Promises about the future ("it will end") are judged afterwards, backwards from the worlds where they are kept.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from tests.unit.model.moves import steps
from tests.unit.model.promises import IN_THE_END, broken_by, broken_in, is_past_hope
from tests.unit.model.rules import Rules
from tests.unit.model.world import World, key


class Found(NamedTuple):
    worlds: int
    bad: dict[str, tuple[str, ...]]
    """Each broken promise with a shortest path to a world that breaks it."""

    def __str__(self) -> str:
        stories = [f"{promise}:\n    " + "\n    ".join(path) for promise, path in self.bad.items()]
        return "\n".join([f"{self.worlds} worlds", *stories])


class _Node(NamedTuple):
    """A world as it first came about, by the step `text` from the node `before`."""

    world: World
    text: str
    before: World | None


class _Graph(NamedTuple):
    nodes: dict[World, _Node]
    edges: list[tuple[World, World, str]]

    def path(self, at: World) -> tuple[str, ...]:
        texts, node = [], self.nodes[at]
        while node.before is not None:
            texts.append(node.text)
            node = self.nodes[node.before]
        return tuple(reversed(texts))


@cache
def search(rules: Rules, until: str | None = None) -> Found:
    """Look at every world under these rules; or only until the first that breaks the promise `until`."""
    start = World()
    graph = _Graph({key(start): _Node(start, "", None)}, [])
    bad: dict[str, tuple[str, ...]] = {}
    todo = deque(graph.nodes)
    while todo:
        for promise, path in _explore(rules, graph, todo.popleft(), todo):
            bad.setdefault(promise, path)
        if until in bad:
            return Found(len(graph.nodes), bad)
    for promise, path in _broken_in_the_end(rules, graph):
        bad.setdefault(promise, path)
    return Found(len(graph.nodes), bad)


def _explore(rules: Rules, graph: _Graph, at: World, todo: deque[World]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Add what may come next to the graph and to what is to be explored. Yields the promises this breaks."""
    world = graph.nodes[at].world
    if is_past_hope(rules, world):
        return
    for step in steps(rules, world):
        for promise in broken_by(world, step):
            yield promise, (*graph.path(at), step.text)
        to = key(step.world)
        graph.edges.append((at, to, step.by))
        if to in graph.nodes:
            continue
        graph.nodes[to] = _Node(step.world, step.text, at)
        todo.append(to)
        for promise in broken_in(rules, step.world):
            yield promise, graph.path(to)


def _broken_in_the_end(rules: Rules, graph: _Graph) -> Iterator[tuple[str, tuple[str, ...]]]:
    for promise, needs, by in IN_THE_END:
        kept = _leading_out(graph, needs, by)
        broken = (at for at in graph.nodes if at not in kept and not is_past_hope(rules, at))
        if (first := next(broken, None)) is not None:
            yield promise, graph.path(first)


def _leading_out(graph: _Graph, needs: Callable[[World], bool], by: frozenset[str]) -> set[World]:
    """Worlds that do not need it any more, and those from which such steps lead there."""
    into = defaultdict(list)
    for start, to, who in graph.edges:
        if who in by:
            into[to].append(start)
    good = {at for at in graph.nodes if not needs(at)}
    todo = deque(good)
    while todo:
        before = [start for start in into[todo.popleft()] if start not in good]
        good.update(before)
        todo.extend(before)
    return good
