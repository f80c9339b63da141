"""The built-in `procedural` provider: pictures drawn by rules, without any model."""

from __future__ import annotations

from dataclasses import asdict

from safelight.children.errands import Errand
from safelight.domain.outcomes import ProviderError
from safelight.providers.child import ChildProvider
from safelight.providers.procedural.order import read_order
from safelight.providers.protocol import Generation


class ProceduralProvider(ChildProvider):
    """The renderer stays: the first picture is to be as quick as the others. Never imports numpy or Pillow here."""

    name = "procedural"
    module = "safelight.providers.procedural.renderer"
    idle_s = None

    def read_order(self, generation: Generation) -> Errand | ProviderError:
        order = read_order(generation)
        return order if isinstance(order, ProviderError) else Errand(asdict(order))
