"""Any way of cutting an event stream into chunks gives the same events."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from safelight.client.sse import Message, SseParser


def read(*chunks: bytes) -> list[Message]:
    parser = SseParser()
    return [message for chunk in chunks for message in parser.feed(chunk)]


def test_an_event_ends_at_the_empty_line() -> None:
    assert read(b"event: tick\nid: 7\ndata: one\n") == []
    assert read(b"event: tick\nid: 7\ndata: one\n\n") == [Message("tick", "one", "7")]


def test_several_data_lines_are_joined_by_line_feeds() -> None:
    assert read(b"data: one\ndata:two\ndata:  three\n\n") == [Message("message", "one\ntwo\n three", None)]


def test_comments_and_unknown_fields_are_ignored() -> None:
    assert read(b": hello\n\nretry: 10\nnonsense\ndata: x\n\n") == [Message("message", "x", None)]


def test_an_event_without_data_is_not_dispatched_and_leaves_no_type_behind() -> None:
    assert read(b"event: tick\n\ndata: x\n\n") == [Message("message", "x", None)]


def test_the_last_id_stays_until_a_new_one_comes() -> None:
    assert [m.last_id for m in read(b"id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\nid: 2\0\ndata: d\n\n")] == [
        "1",
        "1",
        "",
        "",
    ]


def test_all_three_line_ends_count_and_no_others() -> None:
    assert read("data: a\u2028b\rdata: c\r\ndata: d\n\r".encode()) == [Message("message", "a\u2028b\nc\nd", None)]


def test_a_byte_order_mark_at_the_start_is_dropped() -> None:
    assert read(b"\xef\xbb", b"\xbfdata: x\n\n") == [Message("message", "x", None)]


fields = st.sampled_from(["data", "event", "id", "retry", "", "other"])
values = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12)
lines = st.one_of(st.just(""), st.builds("{}:{}".format, fields, values), st.builds("{}: {}".format, fields, values))
streams = st.lists(st.tuples(lines, st.sampled_from(["\n", "\r", "\r\n"])), max_size=25)


@given(streams, st.data())
def test_where_the_stream_is_cut_makes_no_difference(stream: list[tuple[str, str]], data: st.DataObject) -> None:
    sent = "".join(line + end for line, end in stream).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=8)))
    chunks = [sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    assert read(*chunks) == read(sent) == read(*(bytes([byte]) for byte in sent))


@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_read_without_an_error(sent: bytes) -> None:
    read(sent)
