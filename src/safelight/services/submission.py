"""A job that is about to be made, and what comes of asking for it."""

from __future__ import annotations

from dataclasses import dataclass

from safelight.domain.errors import CallerError
from safelight.domain.rates import RateLimit


@dataclass(frozen=True, slots=True)
class Submission:
    """A job as it will be inserted: resolved, validated and priced by `prepare`. JSON fields are text."""

    id: str
    user_id: str
    kind: str
    model: str
    queue: str
    prompt: str
    params: str
    outputs: int
    price: int
    share: float
    """Typical seconds of work: what the job takes from its user's share of the queue."""
    max_wait_s: float
    run_limit_s: float
    inputs: str = "[]"
    """As `inputs.written` writes them."""
    uploads: tuple[int, ...] = ()
    """The numbers of the uploads among them."""
    labels: str = "{}"
    warnings: str = "[]"
    priority: int = 0
    provider_pin: str | None = None
    request_id: str | None = None
    start_at: float | None = None
    """Epoch seconds; None means now."""
    key: str | None = None
    """The caller's idempotency key, unique per user."""
    request_hash: str = ""
    sent_before: int | None = None
    """How often the client says to have sent the same before; None at doors where clients do not count."""
    terms: str | None = None
    """The price as JSON, where what is paid of it depends on use."""
    replay_of: int | None = None
    """The number of the job that is done again."""
    resumed_call: str | None = None
    """The call of that job whose result this one fetches."""
    callback: str | None = None
    """As `callback.written` writes it."""
    rate: RateLimit | None = None
    """What its user may submit in a time, if that is limited."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """The job now exists."""

    job_id: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """The same request with the same key was here before; this is its job."""

    job_id: str


Answer = Submitted | Replayed | CallerError
