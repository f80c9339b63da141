"""The text of a job on standard output while it is being written: each piece once, whichever way the news comes."""

from __future__ import annotations

from typing import Any, TextIO

from safelight.cli.out import err, plain_lines
from safelight.client import Event
from safelight.domain.jobs import EventType


class Paper:
    """Prints a text as it grows. What stands there cannot be taken back: a text begun anew is printed anew."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._text = out, ""

    @property
    def is_blank(self) -> bool:
        return not self._text

    def take(self, event: Event) -> None:
        """Print what a piece of news adds: a part of the text, or a job's body with all of it."""
        news = event.payload
        if event.type == EventType.OUTPUT:
            self._write(self._text[: int(news.get("offset", 0))] + str(news.get("text", "")))
        elif news.get("text"):
            self._write(str(news["text"]))

    def finish(self, job: dict[str, Any]) -> None:
        """Print what is missing of the ended job's text, and end its last line."""
        self._write(str(job.get("text") or self._text))
        if self._text and not self._text.endswith("\n"):
            self._out.write("\n")

    def _write(self, text: str) -> None:
        new = text.removeprefix(self._text)
        if not text.startswith(self._text):
            self._out.write("\n")
            err().print("It begins anew:", style="yellow")
        self._out.write(plain_lines(new))
        self._out.flush()
        self._text = text
