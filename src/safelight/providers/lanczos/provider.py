"""The built-in `lanczos` provider: needs nothing that is not there already, and says that it is no AI."""

from __future__ import annotations

from safelight.children.errands import Errand
from safelight.domain.outcomes import ProviderError
from safelight.providers.child import ChildProvider
from safelight.providers.protocol import Generation
from safelight.providers.upscaling_order import read_order

SCALES = (2, 3, 4)


class LanczosProvider(ChildProvider):
    """Resizes in a child process: a large picture takes seconds and hundreds of megabytes."""

    name = "lanczos"
    module = "safelight.providers.lanczos.resizer"

    def read_order(self, generation: Generation) -> Errand | ProviderError:
        return read_order(generation, SCALES, resizes=True)
