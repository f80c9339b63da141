"""Installations whose providers of texts, and OpenAI's of pictures, are stand-ins of this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safelight.testing.paid_stand_in import PaidStandIn, Work
from safelight.testing.serving import served
from safelight.testing.stand_in_anthropic import StandInAnthropic
from safelight.testing.stand_in_gemini import StandInGemini
from safelight.testing.stand_in_openai import StandInOpenAI
from tests.support.server import Installation, installation

KEYS = {"openai": "sk-secret-one-1", "anthropic": "sk-ant-secret-two-2", "gemini": "AIza-secret-three-3"}
MODELS = {"openai": "gpt-4.1", "anthropic": "claude-sonnet-4-6", "gemini": "gemini-3.1-flash-lite"}


@dataclass
class Providers:
    """The stand-ins by provider; `sold` is set by the next thing that any of them sells."""

    stand_ins: dict[str, PaidStandIn] = field(default_factory=dict)
    sold: threading.Event = field(default_factory=threading.Event)

    def environment(self) -> dict[str, str]:
        """What processes need to use them."""
        urls = {f"SAFELIGHT_{name.upper()}_BASE_URL": each.url for name, each in self.stand_ins.items()}
        return {**{f"{name.upper()}_API_KEY": key for name, key in KEYS.items()}, **urls}


@contextmanager
def text_providers() -> Iterator[Providers]:
    """All three, each knowing only its key."""
    found = Providers()

    class Tells(PaidStandIn):
        def _bill(self, work: Work) -> None:
            super()._bill(work)
            found.sold.set()

    kinds: Mapping[str, type[PaidStandIn]] = {
        "openai": StandInOpenAI,
        "anthropic": StandInAnthropic,
        "gemini": StandInGemini,
    }
    with ExitStack() as stack:
        for name, kind in kinds.items():
            telling: Any = type(kind.__name__, (Tells, kind), {})
            found.stand_ins[name] = stack.enter_context(served(telling(key=KEYS[name])))
        yield found


@contextmanager
def with_text_providers(folder: Path, **settings: object) -> Iterator[tuple[Installation, Providers]]:
    """An installation that has them all."""
    with text_providers() as providers, installation(folder, **settings) as made:
        made.give(providers.environment())
        yield made, providers


def submit(made: Installation, **body: Any) -> str:
    """The id of a new job."""
    answer = made.request("POST", "/api/jobs", json=body)
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["id"]
    return job_id
