"""The built-in `diffusers` provider: an operator's catalog entry names the weights, nothing is ever downloaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import ClassVar

from safelight.children.errands import Errand
from safelight.children.process import PYTHON
from safelight.domain.outcomes import ProviderError
from safelight.providers.child import ChildProvider
from safelight.providers.diffusers.order import read_order
from safelight.providers.protocol import Generation

IDLE_S = 600.0
SILENT_S = 180.0
"""Loading weights, and a step of a large model on a processor, take long and say nothing."""


class DiffusersProvider(ChildProvider):
    """One child holds one pipeline; it is let go, with the weights, ten minutes after the last picture."""

    name = "diffusers"
    module = "safelight.providers.diffusers.painter"
    idle_s = IDLE_S
    environment: ClassVar[Mapping[str, str]] = {
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_VERBOSITY": "error",
        "DIFFUSERS_VERBOSITY": "error",
        "TQDM_DISABLE": "1",
    }

    def __init__(self, stuck_s: float = SILENT_S, python: Sequence[str] = PYTHON) -> None:
        super().__init__(stuck_s, python)

    def read_order(self, generation: Generation) -> Errand | ProviderError:
        order = read_order(generation)
        return order if isinstance(order, ProviderError) else Errand(asdict(order))
