"""The film renderer's own process: `python -m safelight.providers.procedural.filmer`."""

from __future__ import annotations

from collections.abc import Iterator

from PIL import Image

from safelight.children.errands import Errand
from safelight.children.serving import Counter, run
from safelight.providers.encode import encode_preview
from safelight.providers.procedural.film import Frame, frames
from safelight.providers.procedural.mp4 import encoded
from safelight.providers.procedural.scene import compose
from safelight.providers.procedural.video_order import VideoOrder

PREVIEW_PX = 256
PREVIEWS = 12


def film(errand: Errand, counter: Counter) -> None:
    """Frame by frame: each is a moment at which it can be stopped, some are shown."""
    order = VideoOrder(**errand.head)
    counter.stage(0.0)
    scene = compose(order.prompt, order.seed)
    drawn = frames(scene, order.width, order.height, order.fps, order.duration_s, counter.check)
    data = encoded(_watched(drawn, order, counter), order.width, order.height, order.fps)
    counter.file(
        data,
        "video/mp4",
        width=order.width,
        height=order.height,
        duration_s=order.frames / order.fps,
        metadata={"seed": order.seed, "ai_generated": False, "renderer": "procedural"},
    )


def _watched(drawn: Iterator[Frame], order: VideoOrder, counter: Counter) -> Iterator[Frame]:
    every = max(1, order.frames // PREVIEWS)
    for number, pixels in enumerate(drawn):
        counter.stage((number + 1) / (order.frames + 1), b"" if number % every else _preview(pixels))
        yield pixels


def _preview(pixels: Frame) -> bytes:
    image = Image.fromarray(pixels)
    image.thumbnail((PREVIEW_PX, PREVIEW_PX), Image.Resampling.BILINEAR)
    return encode_preview(image)


if __name__ == "__main__":
    run(film)
