"""A rough look at a picture that is not finished: its latents as colours, without the costly decoder."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from safelight.providers.encode import encode_preview

PREVIEW_PX = 256
TO_RGB = np.array(
    [[0.298, 0.207, 0.208], [0.187, 0.286, 0.173], [-0.158, 0.189, 0.264], [-0.184, -0.271, -0.473]], np.float32
)
"""What the four channels of Stable Diffusion's latents look like, fitted by its users."""


def look_at(latents: Any) -> bytes:
    """WebP, or nothing for latents of another kind."""
    if latents is None or latents.ndim != 4 or latents.shape[1] != len(TO_RGB):
        return b""
    channels = latents[0].detach().float().cpu().numpy()
    colours = np.clip((np.tensordot(channels.transpose(1, 2, 0), TO_RGB, 1) + 1) * 127.5, 0, 255)
    image = Image.fromarray(colours.astype(np.uint8))
    scale = PREVIEW_PX / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return encode_preview(image.resize(size, Image.Resampling.BICUBIC))
