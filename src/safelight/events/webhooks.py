"""An outgoing webhook as Standard Webhooks has it: its body, its headers, its signature. No I/O.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 24


def new_secret() -> str:
    """Random, and recognisable where it leaks."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def body(type_: str, at: str, envelope: Mapping[str, Any]) -> bytes:
    """What is sent, byte by byte: it is signed as it is. `at` is when it happened, not when it is sent."""
    told = {"type": type_, "timestamp": at, "data": envelope}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def headers(message_id: str, sent_at_s: float, content: bytes, signing: Iterable[str]) -> dict[str, str]:
    """`message_id` is the same at every try. Every secret signs, so that a receiver may know any one of them."""
    stamp = str(int(sent_at_s))
    signed = f"{message_id}.{stamp}.".encode() + content
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in signing),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
