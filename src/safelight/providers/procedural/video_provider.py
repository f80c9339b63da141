"""The built-in `procedural-video` provider: the scenes of the pictures in motion (the extra `video`). Not AI."""

from __future__ import annotations

from dataclasses import asdict

from safelight.children.errands import Errand
from safelight.domain.outcomes import ProviderError
from safelight.providers.child import ChildProvider
from safelight.providers.procedural.video_order import read_video_order
from safelight.providers.protocol import Generation


class ProceduralVideoProvider(ChildProvider):
    """Films in a child of its own: pictures need not wait for a film, and when idle it is let go."""

    name = "procedural-video"
    module = "safelight.providers.procedural.filmer"

    def read_order(self, generation: Generation) -> Errand | ProviderError:
        order = read_video_order(generation)
        return order if isinstance(order, ProviderError) else Errand(asdict(order))
