"""What one client was told of one job, over all of its connections, and whether that is what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LIVE = ("pending", "processing")
UNSTORED = ("job.progress", "job.preview", "job.output")
COMPARED = ("id", "status", "sequence", "stage", "progress", "text", "error", "credits", "attempt", "finished_at")
Brief = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Truth:
    """What the database says of a job: its stored events in order, and its body at the end."""

    events: tuple[Brief, ...]
    body: Mapping[str, Any]


@dataclass(slots=True)
class Chapter:
    """From one snapshot to the next."""

    begins_at: int
    text: str
    stored: list[Brief] = field(default_factory=list)
    newest: int = 0


@dataclass(slots=True)
class Story:
    """A client adds each envelope as it comes. `complaints` are of what can be seen to be wrong at once."""

    job_id: str
    client: str
    chapters: list[Chapter] = field(default_factory=list)
    body: Mapping[str, Any] | None = None
    """The newest whole body of the job: of a snapshot, of the last event, or of an answer to a poll."""
    complaints: list[str] = field(default_factory=list)
    events: int = 0

    @property
    def cursor(self) -> int | None:
        """The sequence of the newest envelope."""
        return max(self.chapters[-1].newest, self.chapters[-1].begins_at) if self.chapters else None

    @property
    def ended(self) -> bool:
        return self.body is not None and self.body["status"] not in LIVE

    def hear(self, envelope: Mapping[str, Any]) -> None:
        kind, sequence, payload = envelope["type"], envelope["sequence"], envelope["payload"]
        self.events += 1
        if kind == "snapshot":
            self.chapters.append(Chapter(sequence, payload["text"] or ""))
            self.body = payload
            return
        if not self.chapters:
            self.complaints.append(f"{kind} {sequence} came before any snapshot")
            return
        chapter = self.chapters[-1]
        if sequence < (self.cursor or 0):
            self.complaints.append(f"{kind} {sequence} came after {self.cursor}")
        chapter.newest = sequence
        if kind == "job.output":
            self._write(chapter, payload["offset"], payload["text"])
        if kind not in UNSTORED:
            chapter.stored.append((sequence, kind))
        if "status" in payload and "assets" in payload:
            self.body = payload

    def look(self, body: Mapping[str, Any]) -> None:
        """A poll was answered."""
        self.events += 1
        if self.body is not None and body["sequence"] < self.body["sequence"]:
            self.complaints.append(f"sequence {body['sequence']} was seen after {self.body['sequence']}")
        self.body = body

    def _write(self, chapter: Chapter, offset: int, piece: str) -> None:
        if offset > len(chapter.text):
            self.complaints.append(f"text at {offset}, but only {len(chapter.text)} characters came before")
        chapter.text = chapter.text[:offset] + piece


def judge(story: Story, truth: Truth, *, in_one: bool) -> list[str]:
    """All that is wrong with it. `in_one`: whoever has a cursor needs but one snapshot."""
    found = list(story.complaints)
    for number, chapter in enumerate(story.chapters, 1):
        after = tuple(event for event in truth.events if event[0] > chapter.begins_at)
        is_last = number == len(story.chapters)
        expected = after if is_last else after[: len(chapter.stored)]
        if tuple(chapter.stored) != expected:
            found.append(f"after {chapter.begins_at} came {_brief(chapter.stored)}, not {_brief(expected)}")
    if in_one and len(story.chapters) != 1:
        found.append(f"{len(story.chapters)} snapshots")
    if not story.ended or story.body is None:
        return [*found, "it was never told the end"]
    found += [
        f"{name} is {story.body[name]!r}, not {truth.body[name]!r}"
        for name in COMPARED
        if story.body[name] != truth.body[name]
    ]
    if _files(story.body) != _files(truth.body):
        found.append(f"files {_files(story.body)}, not {_files(truth.body)}")
    if story.chapters and story.chapters[-1].text != (truth.body["text"] or ""):
        found.append(f"the pieces make {story.chapters[-1].text!r}, not {truth.body['text']!r}")
    return [f"{story.client}, job {story.job_id}: {each}" for each in found]


def _files(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(asset["id"], asset["sha256"]) for asset in body["assets"]]


def _brief(events: Sequence[Brief]) -> str:
    return " ".join(f"{sequence}:{kind.removeprefix('job.')}" for sequence, kind in events) or "nothing"
