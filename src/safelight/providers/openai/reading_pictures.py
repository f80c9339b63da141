"""Pictures in OpenAI's answer: base64, or addresses from some compatible servers. Pure."""

from __future__ import annotations

import binascii
from typing import Any

import httpx

from safelight.domain.outcomes import Done, Made, Output, RemoteFile
from safelight.providers.refusals import request_id_of
from safelight.providers.streaming import part
from safelight.storage.sniffing import sniffed_picture

STEP_CHARS = 1024 * 1024
"""Decoded at a time, a multiple of four: other threads have to wait for each step."""


def read_pictures(answer: httpx.Response) -> Done:
    """Takes long: call it in a thread.

    Raises ValueError or KeyError for an answer that is none: then nobody knows what was made.
    """
    body = answer.json()
    listed = body.get("data") if isinstance(body, dict) else None
    outputs = tuple(_picture(each) for each in listed or [] if each.get("b64_json") or each.get("url"))
    if not outputs:  # some servers leave out what their moderation does not like: of several, the others count
        raise ValueError("the answer of success has no pictures in it")
    return Done(outputs, usage=dict(part(body, "usage")), request_id=request_id_of(answer.headers))


def _picture(each: dict[str, Any]) -> Made:
    if not each.get("b64_json"):
        return RemoteFile(str(each["url"]))
    data = _bytes_in(str(each["b64_json"]))
    mime = sniffed_picture(data)
    if mime is None:
        raise ValueError("the answer of success has something in it that is no picture")
    return Output(data, mime)


def _bytes_in(text: str) -> bytes:
    """Raises ValueError for what is no base64."""
    steps = (text[start : start + STEP_CHARS] for start in range(0, len(text), STEP_CHARS))
    return b"".join(binascii.a2b_base64(step, strict_mode=True) for step in steps)
