"""Frames as H.264 in an MP4 whose index stands first, so that it plays while it loads. For the child: imports av."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.video.reformatter import ColorRange, Colorspace

from safelight.providers.procedural.film import Frame

BT709 = 1
ENCODING = {"preset": "veryfast", "crf": "20", "threads": "1", "mbtree": "0"}
"""One thread leaves the other cores to others. Without mbtree the same frames give the same bytes: with it, x264's
assembly was seen to give three different files for the same frames."""


def encoded(frames: Iterable[Frame], width: int, height: int, fps: int) -> bytes:
    """The whole file. It goes over the disk: only a file can be given its index afterwards."""
    with tempfile.TemporaryDirectory(prefix="safelight-film-") as folder:
        path = Path(folder) / "film.mp4"
        with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
            stream: Any = container.add_stream("libx264", rate=Fraction(fps), options=dict(ENCODING))
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for name in ("colorspace", "color_primaries", "color_trc"):
                setattr(stream.codec_context, name, BT709)
            for pixels in frames:
                container.mux(stream.encode(_in_yuv(pixels)))
            container.mux(stream.encode())
        return path.read_bytes()


def _in_yuv(pixels: Frame) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    return frame.reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
    )
