"""A picture in the text of a request."""

from __future__ import annotations

import base64

from safelight.providers.protocol import Input


def data_uri(picture: Input) -> str:
    """Takes long for a large one: call it in a thread."""
    return f"data:{picture.mime};base64,{base64.b64encode(picture.data).decode()}"
