"""The clients of Phoenix channels that npm has, unchanged, under Node.js: told what to do, and listened to."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.browser.running import missing

FOLDER = Path(__file__).parent.parent / "conformance" / "phoenix"
PATIENCE_S = 30.0
EVENTS = ("status", "progress", "image_response", "video_response", "llm_response")
Heard = dict[str, Any]


class NpmClient:
    """One process with one socket. What it tells is kept; every wait is for what comes after the last one found."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.heard: list[Heard] = []
        self._at = 0
        self._news = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, name="npm client")
        self._reader.start()

    def do(self, command: str, **more: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"command": command, **more}) + "\n")
        self._process.stdin.flush()

    def join(self, task_id: str) -> Heard:
        """The reply to a join."""
        self.do("join", topic=f"task:{task_id}", events=EVENTS)
        return self.reply("join")

    def push(self, task_id: str, event: str, payload: Any) -> Heard:
        """The reply to a message."""
        self.do("push", topic=f"task:{task_id}", event=event, payload=payload)
        return self.reply(event)

    def reply(self, event: str) -> Heard:
        return self.until(lambda heard: heard["on"] == "reply" and heard["event"] == event)

    def event(self, name: str) -> Heard:
        """The next event of that name on any topic."""
        return self.until(lambda heard: heard["on"] == "event" and heard["event"] == name)

    def end(self) -> list[Heard]:
        """The payloads of `progress` up to the one that says how the task ended."""
        found = [self.event("progress")["payload"]]
        while found[-1]["status"] in ("queued", "processing"):
            found.append(self.event("progress")["payload"])
        return found

    def until(self, wanted: Callable[[Heard], bool]) -> Heard:
        with self._news:
            assert self._news.wait_for(lambda: self._ended or self._find(wanted) is not None, PATIENCE_S), self.tail()
            at = self._find(wanted)
            assert at is not None, self.tail()
            self._at = at + 1
            return self.heard[at]

    def tail(self) -> str:
        return "\n".join(json.dumps(each) for each in self.heard[-20:])

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def _find(self, wanted: Callable[[Heard], bool]) -> int | None:
        return next((at for at in range(self._at, len(self.heard)) if wanted(self.heard[at])), None)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self.heard.append(json.loads(line))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


@contextmanager
def npm_client(url: str, package: str = "phoenix", **options: Any) -> Iterator[NpmClient]:
    """Connected by one of the packages. Skips where they are not installed."""
    node = shutil.which("node")
    if node is None or not (FOLDER / "node_modules" / package).exists():
        missing("Tests with the clients of Phoenix need Node.js and: npm install --prefix tests/conformance/phoenix")
    command = [str(node), str(FOLDER / "driver.cjs"), package]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    client = NpmClient(process)
    try:
        client.do("connect", url=f"ws{url.removeprefix('http')}/socket", **options)
        yield client
    finally:
        client.close()
