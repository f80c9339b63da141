"""What an upscaler is asked for, read from a generation: one picture, a scale, a format; within bounds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from safelight.children.errands import Errand, refused, whole
from safelight.domain.outcomes import ProviderError
from safelight.providers.formats import MIMES
from safelight.providers.protocol import Generation

MOST_PIXELS_IN = 1 << 24
"""4096 by 4096."""
MOST_PIXELS_OUT = 1 << 25
"""8192 by 4096: about 100 MB in memory."""
LONGEST_WEBP_PX = 16383


@dataclass(frozen=True, slots=True)
class Order:
    """Enlarge by `scale`, or to exactly `width` by `height` where they are given."""

    scale: int
    format: str
    width: int | None = None
    height: int | None = None

    def size(self, width: int, height: int) -> tuple[int, int]:
        """How large the result is. One side alone keeps the picture's proportions."""
        match self.width, self.height:
            case None, None:
                return width * self.scale, height * self.scale
            case int() as wide, None:
                return wide, max(1, round(height * wide / width))
            case None, int() as high:
                return max(1, round(width * high / height)), high
            case wide, high:
                return int(wide or 1), int(high or 1)

    @property
    def mime(self) -> str:
        return MIMES[self.format]


def read_order(generation: Generation, scales: Collection[int], *, resizes: bool = False) -> Errand | ProviderError:
    """The order for a child, with the picture as its body; or why it is refused."""
    params = generation.params
    if generation.kind != "upscale":
        return refused(f"An upscaler makes pictures larger; it cannot do kind {generation.kind!r}.")
    picture = next((given for given in generation.inputs if given.role == "image"), None)
    if picture is None:
        return refused("There is no picture to enlarge: give one as input `image`.")
    default = max(scales)
    scale = whole(params, "scale", default)
    if scale not in scales:
        return refused(f"scale is {params.get('scale')!r}; it must be {' or '.join(map(str, sorted(scales)))}.")
    kind = params.get("format") or "png"
    if kind not in MIMES:
        return refused(f"format is {kind!r}; it must be one of {', '.join(MIMES)}.")
    order = Order(scale or default, kind, *(_sides(params) if resizes else ()))
    return too_large(order, picture.width, picture.height) or Errand(asdict(order), picture.data)


def _sides(params: Mapping[str, Any]) -> tuple[int | None, int | None]:
    return whole(params, "width", 0) or None, whole(params, "height", 0) or None


def too_large(order: Order, width: int, height: int) -> ProviderError | None:
    """Refuses what would take too much memory, and says what would fit."""
    if width * height > MOST_PIXELS_IN:
        return refused(
            f"The picture has {_millions(width * height)} million pixels ({width}x{height}); "
            f"at most {_millions(MOST_PIXELS_IN)} million can be enlarged."
        )
    wide, high = order.size(width, height)
    if order.format == "webp" and max(wide, high) > LONGEST_WEBP_PX:
        return refused(f"The result would be {wide}x{high}; WebP ends at {LONGEST_WEBP_PX}: take png or jpeg.")
    if wide * high <= MOST_PIXELS_OUT:
        return None
    fits = " Scale 2 would fit." if order.scale > 2 and 4 * width * height <= MOST_PIXELS_OUT else ""
    return refused(
        f"The result would have {_millions(wide * high)} million pixels ({wide}x{high}); "
        f"at most {_millions(MOST_PIXELS_OUT)} million are made here.{fits}"
    )


def _millions(pixels: int) -> str:
    return f"{pixels / 1e6:.1f}"
