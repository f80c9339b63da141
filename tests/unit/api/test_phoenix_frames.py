"""Frames of Phoenix channels: whatever arrives is a message or refused, and what is written reads the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.api.phoenix_frames import FRAMES, V1, V2, Message
from safelight.domain.errors import InvalidRequest

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
REFS = st.none() | TEXTS | st.integers(0, 10**6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)
PAYLOADS = st.dictionaries(TEXTS, JSON, max_size=4)


@given(REFS, REFS, TEXTS, TEXTS, PAYLOADS)
def test_version_two_reads_what_it_writes(join_ref: Any, ref: Any, topic: str, event: str, payload: Any) -> None:
    frame = V2().written(join_ref, ref, topic, event, payload)
    assert V2().read(frame) == Message(join_ref, ref, topic, event, payload)


@given(REFS, TEXTS, TEXTS, PAYLOADS)
def test_version_one_knows_a_join_by_its_ref(ref: Any, topic: str, event: str, payload: Any) -> None:
    frame = V1().written("not told", ref, topic, event, payload)
    assert json.loads(frame).keys() == {"topic", "event", "payload", "ref"}
    join_ref = ref if event == "phx_join" else None
    assert V1().read(frame) == Message(join_ref, ref, topic, event, payload)
    joining = V1().written(None, ref, topic, "phx_join", payload)
    assert V1().read(joining).join_ref == ref


@given(st.sampled_from(sorted(FRAMES)), st.binary(max_size=60) | st.text(max_size=60) | JSON.map(json.dumps))
def test_whatever_arrives_is_a_message_or_refused(version: str, frame: str | bytes) -> None:
    try:
        found = FRAMES[version].read(frame)
    except InvalidRequest:
        return
    assert isinstance(found, Message)
    assert isinstance(found.payload, dict | InvalidRequest)


@pytest.mark.parametrize("payload", [[], 7, "text", None, {"a": "\x00"}, {"a": "\ud800"}])
def test_a_payload_that_cannot_be_used_leaves_a_message_that_can_be_answered(payload: Any) -> None:
    found = V2().read(json.dumps(["1", "2", "task:1", "image_generate", payload]))
    assert found[:4] == ("1", "2", "task:1", "image_generate")
    assert isinstance(found.payload, InvalidRequest)


def test_a_payload_that_is_nested_too_deep_is_refused_alone() -> None:
    found = V2().read('["1","2","task:1","ping",' + '{"a":' * 40 + "1" + "}" * 40 + "]")
    assert isinstance(found.payload, InvalidRequest)
