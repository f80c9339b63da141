"""Messages of Phoenix channels as they go over a socket: arrays in version 2, objects in version 1. No I/O.

Source: https://hexdocs.pm/phoenix/writing_a_channels_client.html and `Phoenix.Socket.V1.JSONSerializer`, `V2`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol

from safelight.api.strict import check_value, read_json
from safelight.domain.errors import InvalidRequest

Ref = str | int | None
"""A client counts its messages, and its joins; answers carry its numbers back as they came."""
_KIND_PUSH: Final = 0
_LENGTHS: Final = 4
"""Bytes of a binary frame after the first: the lengths of join_ref, ref, topic and event."""


class Message(NamedTuple):
    """One message. What came with a payload that cannot be used has the reason in its place, to be answered."""

    join_ref: Ref
    ref: Ref
    topic: str
    event: str
    payload: dict[str, Any] | InvalidRequest


class Frames(Protocol):
    """One version of the protocol."""

    def read(self, frame: str | bytes) -> Message:
        """Raises InvalidRequest."""
        ...

    def written(self, join_ref: Ref, ref: Ref, topic: str, event: str, payload: Any) -> str:
        """The frame of a message."""
        ...


class V2:
    """`[join_ref, ref, topic, event, payload]`, and binary frames for payloads of bytes."""

    def read(self, frame: str | bytes) -> Message:
        if isinstance(frame, bytes):
            return _read_binary(frame)
        found = read_json(frame)
        if not isinstance(found, list) or len(found) != len(Message._fields):
            raise InvalidRequest("A message is an array: [join_ref, ref, topic, event, payload].")
        return _checked(*found)

    def written(self, join_ref: Ref, ref: Ref, topic: str, event: str, payload: Any) -> str:
        return _as_text([join_ref, ref, topic, event, payload])


class V1:
    """`{topic, event, payload, ref}`. A join is known by the ref it came with, and only its end is told by that."""

    def read(self, frame: str | bytes) -> Message:
        found = None if isinstance(frame, bytes) else read_json(frame)
        if not isinstance(found, dict) or not {"topic", "event", "payload", "ref"} <= found.keys():
            raise InvalidRequest("A message is an object: {topic, event, payload, ref}.")
        join_ref = found["ref"] if found["event"] == "phx_join" else None
        return _checked(join_ref, found["ref"], found["topic"], found["event"], found["payload"])

    def written(self, join_ref: Ref, ref: Ref, topic: str, event: str, payload: Any) -> str:
        return _as_text({"topic": topic, "event": event, "payload": payload, "ref": ref})


FRAMES: Final[Mapping[str, Frames]] = {"1.0.0": V1(), "2.0.0": V2()}
"""By `vsn`."""


def _checked(join_ref: Any, ref: Any, topic: Any, event: Any, payload: Any) -> Message:
    if not isinstance(topic, str) or not isinstance(event, str):
        raise InvalidRequest("Topic and event of a message are strings.")
    if not isinstance(join_ref, Ref) or not isinstance(ref, Ref):
        raise InvalidRequest("join_ref and ref of a message are strings or null.")
    check_value([join_ref, ref, topic, event])
    return Message(join_ref, ref, topic, event, _usable(payload))


def _usable(payload: Any) -> dict[str, Any] | InvalidRequest:
    if isinstance(payload, bytes):
        return InvalidRequest("This channel takes no binary payloads.")
    if not isinstance(payload, dict):
        return InvalidRequest("The payload of a message is an object.")
    try:
        check_value(payload)
    except InvalidRequest as error:
        return error
    return payload


def _read_binary(frame: bytes) -> Message:
    """Kind, four lengths, then the four of them, then the payload."""
    if len(frame) <= _LENGTHS or frame[0] != _KIND_PUSH:
        raise InvalidRequest("A binary frame begins with 0 and the lengths of join_ref, ref, topic and event.")
    parts, at = [], 1 + _LENGTHS
    for length in frame[1:at]:
        parts.append(frame[at : at + length])
        at += length
    if at > len(frame):
        raise InvalidRequest("A binary frame ends before its payload.")
    try:
        join_ref, ref, topic, event = (part.decode() for part in parts)
    except UnicodeDecodeError as error:
        raise InvalidRequest("Topic and event of a binary frame are not valid UTF-8.") from error
    return _checked(join_ref or None, ref or None, topic, event, frame[at:])


def _as_text(told: Any) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
