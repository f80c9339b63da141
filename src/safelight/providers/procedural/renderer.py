"""The renderer's own process: `python -m safelight.providers.procedural.renderer`."""

from __future__ import annotations

from safelight.children.errands import Errand
from safelight.children.serving import Counter, run
from safelight.providers.encode import encode, encode_preview
from safelight.providers.procedural import noise
from safelight.providers.procedural.order import Order
from safelight.providers.procedural.render import render
from safelight.providers.procedural.scene import compose


def draw(errand: Errand, counter: Counter) -> None:
    """Every stage of every picture, and the pictures."""
    order = Order(**errand.head)
    for at in range(order.n):
        seed = order.seed + at
        for stage in render(compose(order.prompt, seed), order.width, order.height):
            counter.stage((at + stage.progress) / order.n, encode_preview(stage.canvas.preview()))
        labels = {"seed": seed, "ai_generated": False, "renderer": "procedural"}
        picture = encode(stage.canvas.image(), order.format)
        counter.file(picture, order.mime, width=order.width, height=order.height, metadata=labels)


if __name__ == "__main__":
    run(draw, noise.warm_up)
