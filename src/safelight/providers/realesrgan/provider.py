"""The built-in `realesrgan` provider: real super-resolution, invented detail and all, so its files are called AI's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from safelight.children.errands import Errand
from safelight.domain.outcomes import ProviderError
from safelight.providers.child import ChildProvider
from safelight.providers.protocol import Generation
from safelight.providers.upscaling_order import read_order

SCALES = (2, 4)


class RealesrganProvider(ChildProvider):
    """Enlarges in a child process, which holds the weights and is let go when idle."""

    name = "realesrgan"
    module = "safelight.providers.realesrgan.enlarger"
    environment: ClassVar[Mapping[str, str]] = {}
    """ncnn is told how many threads to use. Told otherwise by OMP_NUM_THREADS, it takes twice as long."""

    def read_order(self, generation: Generation) -> Errand | ProviderError:
        return read_order(generation, SCALES)
