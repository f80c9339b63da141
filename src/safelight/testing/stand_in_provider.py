"""A paid provider in a process of its own, for tests: it writes down and prices every POST that it accepts.

    python -m safelight.testing.stand_in_provider --port 0 --journal FILE

It prints its address as one line of JSON. How it treats a request is said by words of the request's prompt,
`answer=later seconds=0.5`; see `Wish`. Its own mistakes are deliberate; it never forgets what it has billed.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import re
import signal
import sys
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

from safelight.testing.pictures import tiny_png
from safelight.testing.stand_in_journal import Journal
from safelight.testing.tiny_http import Cut, Outcome, Reply, Request, Silence, listen

PRICE_USD = 0.04
ROOT = "/v1/generations"
_WORD = re.compile(r"\b(answer|seconds|times|retry_after|listed_after|links)=([\w.]+)")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a prompt asks for.

    answer=now         accept; answer with the pictures after `seconds`
    answer=later       accept; answer 202 with a name to ask again with, done after `seconds`
    answer=broken      as `later`, but it reports that the generation failed
    answer=cut_before  cut the connection without accepting
    answer=cut_after   accept, then cut the connection without an answer
    answer=cut_midway  accept, then cut the connection in the middle of the pictures
    answer=silent      accept and never say anything
    answer=garbage     accept and answer 200 with nonsense
    answer=error       accept and answer 500
    answer=limited     429, with `retry_after` if given, the first `times` times; then as `now`
    answer=loading     503 with an estimate, the first `times` times; then as `now`
    listed_after=N     the list shows it only N seconds after it was accepted
    links=1            name the addresses of the pictures instead of sending them
    """

    answer: str = "now"
    seconds: float = 0.0
    times: int = 1
    retry_after: float | None = None
    listed_after: float = 0.0
    links: bool = False


@dataclass(slots=True)
class Work:
    """One accepted generation."""

    id: str
    call_id: str
    wish: Wish
    count: int
    accepted_s: float
    canceled: bool = False

    @property
    def status(self) -> str:
        if self.canceled:
            return "canceled"
        if time.monotonic() - self.accepted_s < self.wish.seconds:
            return "processing"
        return "failed" if self.wish.answer == "broken" else "succeeded"


class StandIn:
    """The provider behind its HTTP server."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._works: dict[str, Work] = {}
        self._refused: dict[str, int] = {}

    async def handle(self, request: Request) -> Outcome:
        """Route a request; the adapter and a curious test are the only callers."""
        name, _, verb = request.path.removeprefix(ROOT).strip("/").partition("/")
        match request.method, name, verb:
            case "POST", "", "":
                return await self._create(request)
            case "GET", "", "":
                return Reply(200, {"generations": self._listed(request.query.get("call_id"))})
            case "POST", known, "cancel" if known in self._works:
                self._works[known].canceled = self._works[known].status != "succeeded"
                return Reply(200, _as_json(self._works[known]))
            case "GET", known, "" if known in self._works:
                return Reply(200, _as_json(self._works[known]))
            case "GET", known, number if known in self._works and number.isdigit():
                pictures = _pictures(self._works[known])
                if int(number) < len(pictures):
                    return Reply(200, pictures[int(number)], {"Content-Type": "image/png"})
        return Reply(404, {"error": "no such generation"})

    async def _create(self, request: Request) -> Outcome:
        prompt = str(request.body["prompt"])
        wish = read_wish(prompt)
        if wish.answer == "cut_before":
            return Cut()
        if wish.answer in ("limited", "loading") and self._refused.get(prompt, 0) < wish.times:
            self._refused[prompt] = self._refused.get(prompt, 0) + 1
            return _refusal(wish)
        return await self._answer(self._known(request) or self._accept(request, prompt, wish))

    def _known(self, request: Request) -> Work | None:
        """The generation made under that call id, for a caller who wants each of them made once."""
        made = (work for work in self._works.values() if work.call_id == request.body["call_id"])
        return next(made, None) if request.body.get("once") else None

    def _accept(self, request: Request, prompt: str, wish: Wish) -> Work:
        """From here on it costs money."""
        call_id, remote_id = str(request.body["call_id"]), f"gen-{len(self._works) + 1:06}"
        count = int(request.body.get("n", 1))
        self._journal.bill(call_id, remote_id, prompt, PRICE_USD * count)
        work = self._works[remote_id] = Work(remote_id, call_id, wish, count, time.monotonic())
        return work

    async def _answer(self, work: Work) -> Outcome:
        match work.wish.answer:
            case "later" | "broken":
                return Reply(202, {"id": work.id, "status": "processing"})
            case "silent":
                return Silence()
        await asyncio.sleep(work.wish.seconds)
        match work.wish.answer:
            case "cut_after":
                return Cut()
            case "garbage":
                return Reply(200, b"<html>It works!</html>")
            case "error":
                return Reply(500, {"error": "something went wrong"})
            case answer:
                return Reply(200, _as_json(work), cut=answer == "cut_midway")

    def _listed(self, call_id: str | None) -> list[dict[str, object]]:
        now_s = time.monotonic()
        shown = (w for w in self._works.values() if now_s - w.accepted_s >= w.wish.listed_after)
        return [{"id": w.id, "call_id": w.call_id, "status": w.status} for w in shown if call_id in (None, w.call_id)]


def read_wish(prompt: str) -> Wish:
    """The wish in the words of a prompt; other words are just words."""
    words = dict(_WORD.findall(prompt))
    return Wish(
        answer=words.get("answer", "now"),
        seconds=float(words.get("seconds", 0)),
        times=int(words.get("times", 1)),
        retry_after=float(words["retry_after"]) if "retry_after" in words else None,
        listed_after=float(words.get("listed_after", 0)),
        links=words.get("links") == "1",
    )


def _refusal(wish: Wish) -> Reply:
    if wish.answer == "loading":
        return Reply(503, {"error": "the model is loading", "estimated_time": wish.seconds})
    return Reply(
        429, {"error": "slow down"}, {} if wish.retry_after is None else {"Retry-After": f"{wish.retry_after:g}"}
    )


def _pictures(work: Work) -> list[bytes]:
    """Those of different calls differ, so that one written over another would show."""
    shades = range(zlib.crc32(work.id.encode()) % 200, 256)
    return [tiny_png(shade) for shade in shades[: work.count]]


def _as_json(work: Work) -> dict[str, object]:
    body: dict[str, object] = {"id": work.id, "call_id": work.call_id, "status": work.status}
    if work.status == "succeeded":
        pictures = _pictures(work)
        if work.wish.links:
            body["links"] = [f"{ROOT}/{work.id}/{n}" for n in range(len(pictures))]
        else:
            body["images"] = [base64.b64encode(data).decode() for data in pictures]
        body["price_usd"] = PRICE_USD * work.count
    return body


async def _serve(port: int, journal: Journal) -> None:
    server = await listen(StandIn(journal).handle, port)
    host, taken = server.sockets[0].getsockname()
    print(json.dumps({"url": f"http://{host}:{taken}"}), flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m safelight.testing.stand_in_provider", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--journal", type=Path, required=True, help="file to write accepted POSTs to")
    arguments = parser.parse_args()
    asyncio.run(_serve(arguments.port, Journal(arguments.journal)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
