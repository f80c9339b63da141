"""Films for tests: real ones of two seconds, by PyAV."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np


def real_film(folder: Path, kind: str = "mp4", codec: str = "libx264", frames: int = 48, **options: str) -> io.BytesIO:
    """320x192, 24 frames a second, from black to bright."""
    path = folder / f"film.{kind}"
    with av.open(str(path), "w", format=kind, options=options) as container:
        stream = container.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv420p"
        for n in range(frames):
            pixels = np.full((192, 320, 3), n * 4 % 256, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return io.BytesIO(path.read_bytes())
