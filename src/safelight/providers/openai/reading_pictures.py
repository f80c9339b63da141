"""Pictures in OpenAI's answer: base64, or addresses from some compatible servers. Pure."""

from __future__ import annotations

import base64
from typing import Any

import httpx

from safelight.domain.outcomes import Done, Made, Output, RemoteFile
from safelight.providers.refusals import request_id_of
from safelight.providers.streaming import part

_BEGINNINGS = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}


def read_pictures(answer: httpx.Response) -> Done:
    """Raises ValueError or KeyError for an answer that is none: then nobody knows what was made."""
    body = answer.json()
    listed = body.get("data") if isinstance(body, dict) else None
    outputs = tuple(_picture(each) for each in listed or [] if each.get("b64_json") or each.get("url"))
    if not outputs:  # some servers leave out what their moderation does not like: of several, the others count
        raise ValueError("the answer of success has no pictures in it")
    return Done(outputs, usage=dict(part(body, "usage")), request_id=request_id_of(answer.headers))


def _picture(each: dict[str, Any]) -> Made:
    if not each.get("b64_json"):
        return RemoteFile(str(each["url"]))
    data = base64.b64decode(each["b64_json"], validate=True)
    mime = next((mime for beginning, mime in _BEGINNINGS.items() if data.startswith(beginning)), None)
    if mime is None:
        raise ValueError("the answer of success has something in it that is no picture")
    return Output(data, mime)
