"""What a reader at a cursor has not seen: stored events in order, the newest progress if it is newer."""

from __future__ import annotations

import pytest

from safelight.events.follow import envelopes
from safelight.events.log import Brief, News, StoredEvent


def news(
    sequence: int,
    *stored: tuple[int, str],
    status: str = "processing",
    preview: int | None = None,
    progress: float = 0.5,
    text: str | None = None,
) -> News:
    told = tuple(StoredEvent(n, f"job.{kind}", f'{{"n":{n}}}', 100.0 + n) for n, kind in stored)
    return News(Brief(1, "ann", status, "running", progress, sequence, text), told, preview, 900.0)


def shape(found: News, cursor: int) -> list[tuple[str, int]]:
    return [(e.type.removeprefix("job."), e.sequence) for e in envelopes("j", found, cursor)]


@pytest.mark.parametrize(
    ("found", "cursor", "expected"),
    [
        (news(2, (1, "submitted"), (2, "started")), 0, [("submitted", 1), ("started", 2)]),
        (news(5, (1, "submitted"), (2, "started")), 0, [("submitted", 1), ("started", 2), ("progress", 5)]),
        (news(5), 2, [("progress", 5)]),
        (news(5), 5, []),
        (news(5), 9, []),
        (news(5, preview=5), 2, [("progress", 5), ("preview", 5)]),
        (news(5, preview=4), 2, [("preview", 4), ("progress", 5)]),
        (news(5, preview=2), 2, [("progress", 5)]),
        (news(6, (5, "cancel_requested"), preview=4), 2, [("cancel_requested", 5), ("progress", 6)]),
        (news(5, (5, "cancel_requested"), preview=4), 2, [("cancel_requested", 5)]),
        (news(7, (7, "completed"), status="completed"), 4, [("completed", 7)]),
        (news(7, status="completed"), 4, []),
    ],
)
def test_a_reader_is_told_what_it_has_not_seen(found: News, cursor: int, expected: list[tuple[str, int]]) -> None:
    assert shape(found, cursor) == expected


def test_stored_events_keep_their_time_and_payload_and_progress_has_the_rows() -> None:
    stored, moving, shown = envelopes("j", news(4, (3, "started"), preview=4, progress=0.75), 2)
    assert (stored.job_id, stored.at, stored.payload, stored.is_last) == ("j", 103.0, {"n": 3}, False)
    assert (moving.at, moving.payload) == (900.0, {"status": "processing", "stage": "running", "progress": 0.75})
    assert (shown.at, shown.payload) == (900.0, {"progress": 0.75})


@pytest.mark.parametrize(
    ("read", "offset", "piece"),
    [("", 0, "Once upon"), ("Once", 4, " upon"), ("It was a dark", 0, "Once upon"), ("Once upon a", 0, "Once upon")],
)
def test_of_a_text_a_reader_is_told_what_is_new_and_where_it_begins(read: str, offset: int, piece: str) -> None:
    moving, written = envelopes("j", news(5, text="Once upon"), 2, read)
    assert (moving.type, written.type, written.sequence) == ("job.progress", "job.output", 5)
    assert written.payload == {"offset": offset, "text": piece}


def test_a_text_that_was_read_is_not_told_again() -> None:
    (moving,) = envelopes("j", news(5, text="Once"), 2, "Once")
    assert moving.type == "job.progress"


def test_the_rest_of_a_text_comes_before_the_end_and_leaves_room_for_it() -> None:
    found = news(7, (7, "completed"), status="completed", text="Once upon")
    written, last = envelopes("j", found, 5, "Once")
    assert (written.type, written.sequence, written.payload) == ("job.output", 6, {"offset": 4, "text": " upon"})
    assert (last.type, last.sequence) == ("job.completed", 7)
    assert envelopes("j", news(7, status="completed", text="Once upon"), 7, "") == []


@pytest.mark.parametrize("ending", ["completed", "failed", "canceled", "partial"])
def test_every_ending_is_the_last_envelope(ending: str) -> None:
    (last,) = envelopes("j", news(3, (3, ending), status=ending), 2)
    assert last.is_last


def test_what_a_reader_is_told_only_grows() -> None:
    found = news(9, (3, "retrying"), (4, "started"), (6, "cancel_requested"), preview=8)
    sequences = [sequence for _, sequence in shape(found, 2)]
    assert sequences == sorted(sequences) == [3, 4, 6, 8, 9]
