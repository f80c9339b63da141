"""Watch one job in the terminal: a bar that moves on a terminal, a line per stage anywhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from safelight.cli.out import err, plain
from safelight.cli.waiting import waits
from safelight.cli.writing import Paper
from safelight.client import Client, ClientError, Event
from safelight.domain.jobs import Stage

LOOK_AGAIN_S = 3.0
"""How often a job that waits is asked why: that it is parked is no event."""


@dataclass(frozen=True, slots=True)
class View:
    """What is shown of a job: where it is, how far, and why it waits."""

    stage: str = "queued"
    progress: float = 0.0
    note: str = ""


class Display(Protocol):
    def __call__(self, view: View) -> None: ...


async def watch(
    client: Client,
    job_id: str,
    timeout_s: float | None = None,
    *,
    alone: bool = True,
    paper: Paper | None = None,
) -> dict[str, Any] | None:
    """The job's body once it has ended; `None` if that takes longer than `timeout_s`.

    `alone=False`: others write to the terminal too, so that a bar would be torn apart. `paper` takes the job's text,
    and once it does, the terminal is its own.
    """
    console = err()
    try:
        with _bar(console) if console.is_terminal and alone and paper is None else _lines(console) as display:
            screen = _Screen(display, paper)
            async with (
                asyncio.timeout(timeout_s),
                _asked_while_it_waits(client, job_id, screen),
                aclosing(client.events(job_id)) as events,
            ):
                async for event in events:
                    screen.take(event)
    except TimeoutError:
        return None
    job = await client.job(job_id)
    if paper is not None:
        paper.finish(job)
    return job


class _Screen:
    """What is shown now. Where a text is written, nothing else is once it has begun."""

    def __init__(self, display: Display, paper: Paper | None) -> None:
        self.view = View()
        self._display, self._paper = display, paper

    def take(self, event: Event) -> None:
        if self._paper is not None:
            self._paper.take(event)
        self.show(advance(self.view, event))

    def show(self, view: View) -> None:
        self.view = view
        if self._paper is None or self._paper.is_blank:
            self._display(view)


@asynccontextmanager
async def _asked_while_it_waits(client: Client, job_id: str, screen: _Screen) -> AsyncIterator[None]:
    asking = asyncio.create_task(_ask(client, job_id, screen))
    try:
        yield
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def _ask(client: Client, job_id: str, screen: _Screen) -> None:
    """Until it starts. What goes wrong here goes wrong for the events too, and is said there."""
    while True:
        await asyncio.sleep(LOOK_AGAIN_S)
        if screen.view.stage != Stage.QUEUED:
            continue
        with suppress(ClientError):
            job = await client.job(job_id)
            if job["queue_info"] and screen.view.stage == Stage.QUEUED and (words := plain(waits(job))):
                screen.show(replace(screen.view, note=words))


def advance(view: View, event: Event) -> View:
    """What one piece of news changes."""
    news = event.payload
    match event.type:
        case "job.started":
            return View(stage="starting")
        case "job.retrying" | "job.requeued":
            return View(note=plain(news.get("reason") or "again"))
        case "job.cancel_requested":
            return replace(view, note="cancel requested")
        case _:
            return View(
                stage=news.get("stage") or view.stage,
                progress=float(news["progress"]) if news.get("progress") is not None else view.progress,
                note=plain(waits(news)) if "queue_info" in news else view.note,
            )


@contextmanager
def _bar(console: Console) -> Iterator[Display]:
    columns = (
        SpinnerColumn(style="red"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=None, complete_style="red", finished_style="green"),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", style="dim"),
    )
    with Progress(*columns, console=console, transient=True, expand=True) as progress:
        bar = progress.add_task("queued", total=1.0, note="")
        yield lambda view: progress.update(bar, description=_words(view), completed=view.progress, note=view.note)


@contextmanager
def _lines(console: Console) -> Iterator[Display]:
    said = ""

    def show(view: View) -> None:
        nonlocal said
        line = f"{_words(view)}{_quarters(view)}{view.note and ': '}{view.note}"
        if line != said and view.stage != Stage.DELIVERED:
            console.print(line, soft_wrap=True)
        said = line

    yield show


def _words(view: View) -> str:
    return view.stage.replace("_", " ")


def _quarters(view: View) -> str:
    """A line for each percent would be noise."""
    percent = int(view.progress * 4) * 25
    return f" {percent} %" if 0 < percent < 100 else ""
