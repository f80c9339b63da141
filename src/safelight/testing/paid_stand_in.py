"""What the stand-ins of paid providers have in common: they bill what they accept, and go wrong when they are told to.

How a request is treated is said beforehand, `stand_in.misbehave(Mishap.BUSY)`, or by words of its prompt:
`mishap=busy times=2 seconds=0.5` (busy twice, then made within half a second); `fetch=3` makes each of its files
take 3 seconds, where there are files to fetch.
"""

from __future__ import annotations

import asyncio
import re
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from safelight.testing.mishaps import REFUSALS, Mishap, Where
from safelight.testing.stand_in_journal import Billed, Journal
from safelight.testing.tiny_http import Cut, Outcome, Reply, Request, Silence

_WORD = re.compile(r"\b(mishap|seconds|times|fetch)=([\w.]+)")
GARBAGE = b"<html>It works!</html>"


@dataclass(slots=True)
class Work:
    """One accepted generation. `body` is the request's."""

    id: str
    prompt: str
    body: Mapping[str, Any]
    count: int
    mishap: Mishap | None
    seconds: float
    model: str
    call_id: str
    fetch_s: float = 0.0
    accepted_s: float = field(default_factory=time.monotonic)
    canceled: bool = False

    @property
    def age_s(self) -> float:
        return time.monotonic() - self.accepted_s

    @property
    def is_over(self) -> bool:
        return self.canceled or self.age_s >= self.seconds


class PaidStandIn(ABC):
    """Answers requests (`handle`). What it billed stands in `billed`, and in the journal if it has one."""

    price_usd: ClassVar[float] = 0.04
    """Of one output."""
    request_id_header: ClassVar[str] = "x-request-id"
    words: ClassVar[Mapping[Mishap, str]]
    """What its refusals and failures say, `{key}` for the key that came."""

    def __init__(self, *, key: str | None = None, journal: Journal | None = None) -> None:
        """Without a `key` any will do."""
        self.url = ""
        """Where it listens: whoever serves it says so."""
        self.billed: list[Billed] = []
        self.posts: list[Request] = []
        """Every paid POST that arrived, accepted or not."""
        self.works: dict[str, Work] = {}
        self.last_request_id = ""
        self.repeats_key = False
        """Whether its refusals repeat the key in every word of theirs: codes, types, the name of the request."""
        self.retired: set[str] = set()
        """Models that it does not know when it is asked for one. What is ordered of them is made all the same."""
        self._key, self._journal = key, journal
        self._mishaps: dict[Where, deque[Mishap]] = {where: deque() for where in Where}
        self._met: Counter[str] = Counter()
        self.requests_n = 0
        self._beside: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def route(self, request: Request) -> Outcome:
        """Answer one request: what is paid by `sell`, what is asked by `tell`."""

    @abstractmethod
    def key_of(self, request: Request) -> str:
        """The key it came with; empty without one."""

    @abstractmethod
    def refusal(self, mishap: Mishap, request: Request) -> Reply:
        """How this provider refuses, for each mishap that is a refusal (of `mishaps.REFUSALS`), with its `words`."""

    def misbehave(self, mishap: Mishap, *, where: Where = Where.START, times: int = 1) -> None:
        """Treat the next request of that sort so."""
        self._mishaps[where].extend([mishap] * times)

    async def handle(self, request: Request) -> Outcome:
        """The handler for `tiny_http.listen`."""
        self.requests_n += 1
        outcome = await self.route(request)
        if isinstance(outcome, Reply):
            self.last_request_id = f"req-{self.requests_n:06}"
            headers = {self.request_id_header: self.last_request_id, **outcome.headers}
            answer = replace(outcome, headers=headers)
            return _repeating(self.key_of(request), answer) if self.repeats_key and answer.status >= 400 else answer
        return outcome

    async def sell(
        self,
        request: Request,
        prompt: str,
        count: int,
        answer: Callable[[Work], Reply],
        *,
        model: str = "",
        call_id: str = "",
    ) -> Outcome:
        """A paid POST: refused, or billed and answered. Model and our own id, where it says them, go on the bill."""
        self.posts.append(request)
        wish = dict(_WORD.findall(prompt))
        mishap = self._next(Where.START) or self._wished(prompt, wish)
        if mishap is None and not self._knows(self.key_of(request)):
            mishap = Mishap.BAD_KEY
        if mishap is Mishap.CUT_BEFORE:
            return Cut()
        if mishap in REFUSALS and not self.refuses_later(mishap):
            return self.refusal(mishap, request)
        remote_id, seconds = self.new_remote_id(len(self.works) + 1), float(wish.get("seconds", 0))
        fetch_s = float(wish.get("fetch", 0))
        work = Work(remote_id, prompt, request.body, count, mishap, seconds, model, call_id, fetch_s)
        self._bill(work)
        reply = answer(work)
        return reply if mishap is None else self._spoilt(mishap, request, reply)

    def refuses_later(self, mishap: Mishap) -> bool:
        """Whether it accepts first, and says so only in what it is asked later."""
        return False

    def new_remote_id(self, n: int) -> str:
        return f"gen-{n:06}"

    def tell(self, where: Where, request: Request, answer: Callable[[], Reply]) -> Outcome:
        """A question that costs nothing."""
        mishap = self._next(where)
        if mishap is None and not self._knows(self.key_of(request)):
            mishap = Mishap.BAD_KEY
        return answer() if mishap is None else self._spoilt(mishap, request, answer())

    def tell_model(self, request: Request, name: str, answer: Reply) -> Outcome:
        """The question whether it serves a model: `answer` if so."""
        return self.tell(
            Where.PROBE, request, lambda: self.refusal(Mishap.RETIRED, request) if name in self.retired else answer
        )

    def announcement(self, remote_id: str) -> Mapping[str, Any]:
        """The body of the webhook in which the provider announces what became of it; empty if it announces nothing."""
        return {}

    def said(self, mishap: Mishap, request: Request) -> str:
        """Its words for that mishap."""
        return self.words[mishap].replace("{key}", self.key_of(request))

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside the answer, such as calling a webhook."""
        task = asyncio.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    def _knows(self, key: str) -> bool:
        return bool(key) if self._key is None else key == self._key

    def _next(self, where: Where) -> Mishap | None:
        waiting = self._mishaps[where]
        return waiting.popleft() if waiting else None

    def _wished(self, prompt: str, wish: Mapping[str, str]) -> Mishap | None:
        if "mishap" not in wish or self._met[prompt] >= int(wish.get("times", 1)):
            return None
        self._met[prompt] += 1
        return Mishap(wish["mishap"])

    def _bill(self, work: Work) -> None:
        """From here on it costs money."""
        self.works[work.id] = work
        billed = Billed(work.call_id, work.id, work.prompt, self.price_usd * work.count, time.time())
        if self._journal is not None:
            self._journal.bill(billed.call_id, billed.remote_id, billed.prompt, billed.price_usd)
        self.billed.append(billed)

    def _spoilt(self, mishap: Mishap, request: Request, reply: Reply) -> Outcome:
        """What becomes of a good answer."""
        match mishap:
            case Mishap.CUT_BEFORE | Mishap.CUT_AFTER:
                return Cut()
            case Mishap.HANG:
                return Silence()
            case Mishap.CUT_MIDWAY:
                return replace(reply, cut=True)
            case Mishap.GARBAGE:
                return Reply(200, GARBAGE, {"Content-Type": "text/html"})
            case Mishap.SERVER_ERROR:
                return Reply(500, {"error": "something went wrong"})
            case Mishap.GATEWAY_TIMEOUT:
                return Reply(504, b"<html>Gateway Time-out</html>", {"Content-Type": "text/html"})
            case _ if mishap in REFUSALS and not self.refuses_later(mishap):
                return self.refusal(mishap, request)
        return reply


def _repeating(key: str, reply: Reply) -> Reply:
    return replace(
        reply, body=_with(key, reply.body), headers={name: f"{it} {key}" for name, it in reply.headers.items()}
    )


def _with(key: str, body: Any) -> Any:
    match body:
        case str():
            return f"{body} {key}"
        case list():
            return [_with(key, each) for each in body]
        case dict():
            return {name: _with(key, each) for name, each in body.items()}
        case _:
            return body
