"""A text on its way to the terminal: each piece once, from the beginning where it was begun anew."""

from __future__ import annotations

import io

import pytest

from safelight.cli.writing import Paper
from safelight.client import Event


def output(offset: int, text: str) -> Event:
    return Event("job.output", "j", 1, "", {"offset": offset, "text": text})


def body(text: str | None) -> Event:
    return Event("snapshot", "j", 1, "", {"id": "j", "text": text})


def printed(*events: Event, at_last: str | None = None) -> str:
    out = io.StringIO()
    paper = Paper(out)
    for event in events:
        paper.take(event)
    paper.finish({"text": at_last})
    return out.getvalue()


def test_pieces_and_bodies_are_printed_once() -> None:
    assert printed(
        body(None), output(0, "Once"), output(4, " upon"), body("Once upon a"), at_last="Once upon a time"
    ) == ("Once upon a time\n")


def test_a_piece_that_comes_twice_after_a_reconnect_is_printed_once() -> None:
    assert printed(output(0, "Once"), output(0, "Once upon"), at_last="Once upon") == "Once upon\n"


def test_a_text_begun_anew_is_printed_anew_and_said_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(output(0, "It was a dark"), output(0, "Once"), at_last="Once upon\n") == "It was a dark\nOnce upon\n"
    assert "begins anew" in capsys.readouterr().err


def test_a_model_cannot_move_the_cursor() -> None:
    assert printed(output(0, "a\x1b[2Jb\tc\r\nd\u2028e")) == "a\ufffd[2Jb\tc\nd\ne\n"


def test_without_a_text_nothing_is_printed() -> None:
    assert printed(body(None)) == ""
