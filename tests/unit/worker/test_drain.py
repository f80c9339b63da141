"""How long a drain lasts at most: as long as a paid call may take that nobody could resume."""

from __future__ import annotations

import pytest

from safelight.catalog.model import Kind, Model, Price, Route
from safelight.providers.protocol import Provider
from safelight.testing.providers import ScriptedProvider
from safelight.worker.drain import FREE_CALLS_S, drain_limit_s

RUN_LIMITS_S = {"image": 600.0, "video": 2_400.0, "text": 20.0}


def model(kind: Kind, *at: str) -> Model:
    routes = tuple(Route(provider=name, model="m") for name in at)
    return Model(
        id=kind, title=kind, kind=kind, queue=kind, routes=routes, price=Price(per="job", credits=1), typical_s=1
    )


MODELS = (model("image", "free", "paid"), model("video", "paid"), model("text", "paid"), model("upscale", "free"))


@pytest.mark.parametrize(
    ("queues", "providers", "limit_s"),
    [
        (["image", "video"], ["free", "paid"], 2_400.0),
        (["image"], ["free", "paid"], 600.0),
        (["image", "video"], ["free"], FREE_CALLS_S),
        (["upscale"], ["free", "paid"], FREE_CALLS_S),
        (["text"], ["paid"], FREE_CALLS_S),
        ([], ["paid"], FREE_CALLS_S),
    ],
)
def test_the_longest_paid_call_of_the_queues_served_decides(
    queues: list[str], providers: list[str], limit_s: float
) -> None:
    known: dict[str, Provider] = {name: ScriptedProvider(name=name, repeatable=name == "free") for name in providers}
    assert drain_limit_s(MODELS, queues, known, RUN_LIMITS_S) == limit_s
