"""How long a worker that is asked to end waits for calls in flight.

A call that was accepted is handed over at once and resumed elsewhere, and one that costs nothing can be made again.
What is left are calls that a provider answers in one piece: paid for, and lost with their connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from safelight.catalog.model import Model
from safelight.providers.protocol import Provider

FREE_CALLS_S = 60.0
"""For calls that can be made again: what most of them need to end."""


def drain_limit_s(
    models: Iterable[Model], queues: Iterable[str], providers: Mapping[str, Provider], run_limits_s: Mapping[str, float]
) -> float:
    """The longest that a call may take which this process could be making, by the run limits of its kinds."""
    mine = set(queues)
    paid = {name for name, provider in providers.items() if not provider.repeatable}
    kinds = {m.kind for m in models if m.queue in mine and any(map(m.route_at, paid))}
    return max([FREE_CALLS_S, *(run_limits_s[kind] for kind in kinds if kind in run_limits_s)])
