"""The seam between Safelight and a provider: start, poll, cancel, probe; one call each.

An adapter never sleeps, retries, stores or charges. The worker owns time, the services own money,
storage owns bytes. So every adapter can be read in one sitting and one suite tests all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol, runtime_checkable

from safelight.domain.outcomes import RemoteState


@dataclass(frozen=True, slots=True)
class Input:
    """A picture that the generation starts from, in memory, checked and small enough. Also for text models that see."""

    role: str
    """`image`, `mask`, `first_frame` or `last_frame`."""
    data: bytes
    mime: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Generation:
    """What is to be made: the model's own id at this provider, the prompt, and parameters already validated."""

    kind: str
    model: str
    prompt: str
    params: Mapping[str, Any] = field(default_factory=dict)
    """Canonical names (width, height, seed, n, ...), complete with defaults."""
    inputs: tuple[Input, ...] = ()
    callback_url: str | None = None
    """Where the provider may announce what became of this call; None where it could not reach us."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A picture of the work so far, small enough to send to every watcher."""

    data: bytes
    mime: str


class NotSent(Exception):
    """It is certain that the provider did not get the request: raised by `start`, the call may simply be made again.

    Only for proof: the name did not resolve, the connection was refused, the TLS handshake failed, or the lease was
    gone before the first byte. After any other exception nobody knows.
    """


class AskLater(Exception):
    """The provider asks not to be polled again for a while; raised by `poll`. The generation itself goes on."""

    def __init__(self, why: str, retry_after_s: float | None) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class CannotStop(Exception):
    """The provider offers no way to stop an accepted generation; raised by `cancel`. It goes on, and costs."""


class Report(Protocol):
    """How a provider that answers in one long call tells what it does on the way."""

    def may_send(self) -> bool:
        """Whether this process still holds the lease. From any thread, immediately before the first byte is sent."""
        ...

    async def __call__(self, progress: float, *, preview: Preview | None = None, text: str | None = None) -> bool:
        """Take progress in 0.0..1.0, a preview, and all of the text so far (not only what is new).

        False means: stop, the job is canceled or lost.
        """
        ...


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a cheap, read-only look at the provider found."""

    reachable: bool
    key_valid: bool | None = None
    has_money: bool | None = None
    message: str = ""


class Provider(Protocol):
    """One provider. `name` is what catalog routes and gates call it."""

    name: str
    repeatable: bool
    """Local and free: a call of unknown outcome may simply be made again."""
    idempotent: bool
    """The provider makes each of our call ids once, however often it is asked: an unknown call may be sent again."""
    fingerprint: str
    """Tells one key from another without showing it (`keys.fingerprint`); empty for a provider without a key.
    Gates belong to a provider and its key: a new key opens them."""

    async def warm_up(self) -> None:
        """Get ready, so that the first job is as quick as the others. Called once when a worker starts."""
        ...

    async def start(self, generation: Generation, call_id: str, report: Report) -> RemoteState:
        """Begin, or do, the generation. Raises NotSent, and anything else only for what it cannot classify."""
        ...

    async def poll(self, remote_id: str) -> RemoteState:
        """Ask how an accepted generation stands.

        Raise whatever is no answer to that (a cut, a 429, a 500): it is asked again. Rejected is the provider's word
        that the generation itself is over; the job may then make, and pay, another.
        """
        ...

    async def cancel(self, remote_id: str) -> None:
        """Ask the provider to stop; best effort. Raises CannotStop where there is no way to."""
        ...

    async def probe(self) -> ProbeResult:
        """Is it reachable, is the key valid, is there money? Costs nothing."""
        ...

    async def close(self) -> None:
        """Let go of connections and processes."""
        ...


@runtime_checkable
class Finds(Protocol):
    """A provider that can be asked whether it knows one of our calls, by a list or a track id."""

    async def find(self, call_id: str) -> str | None:
        """The remote id of the call. None proves nothing: a frozen worker may still send it."""
        ...


@dataclass(frozen=True, slots=True)
class ModelState:
    """What a provider says of one of its models. `served` is None where it does not say."""

    served: bool | None
    shutdown_date: date | None = None
    """The day on which it ends, if the provider tells one."""
    message: str = ""


@runtime_checkable
class Knows(Protocol):
    """A provider that can be asked whether it still serves a model."""

    async def knows(self, model: str) -> ModelState:
        """Of the model's own id there. One question, read-only and free. Never raises for what the network does."""
        ...


@runtime_checkable
class Hears(Protocol):
    """A provider that announces by itself, at `Generation.callback_url`, what became of a call."""

    def read_callback(self, body: Any) -> str | None:
        """The remote id in what it announced (decoded JSON); None if it is no announcement of this provider. Pure."""
        ...
