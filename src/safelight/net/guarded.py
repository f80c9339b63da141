"""Fetch a file that somebody else named: checked at every connection and redirect, bounded in time and bytes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpcore

from safelight.net.certificates import tls
from safelight.net.decoding import decoded
from safelight.net.dialling import GuardedDialler, LookUp, look_up
from safelight.net.errors import BadAnswer, RefusedTarget, TookTooLong, TooManyBytes, Unreachable
from safelight.net.targets import Target, read_target

MOST_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
IDLE_S = 30.0
"""The longest that a server may say nothing."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer that has begun. Its bytes come once; more than the limit raise TooManyBytes."""

    source: Target
    """Where it came from in the end."""
    mime: str
    """What the server calls it; empty if it says nothing. Claims of strangers: look at the bytes."""
    pieces: AsyncIterator[bytes]

    async def read(self) -> bytes:
        """All of it, in memory."""
        return b"".join([piece async for piece in self.pieces])


@dataclass(frozen=True, slots=True)
class Guarded:
    """A client for URLs of users and providers. Keeps nothing between fetches: no connection, no cookie."""

    exempt: frozenset[str] = frozenset()
    """`host:port` of private servers that the operator allows."""
    look_up: LookUp = look_up
    network: httpcore.AsyncNetworkBackend | None = None
    certificates: ssl.SSLContext | None = None
    """Default: those the system trusts."""

    @asynccontextmanager
    async def stream(
        self,
        url: str,
        *,
        limit_bytes: int,
        within_s: float,
        headers: Mapping[str, str] | None = None,
        exempt: Collection[str] = (),
    ) -> AsyncIterator[Fetched]:
        """GET it. `within_s` counts from here until the block is left; `headers` go to the URL's own origin only.

        `exempt` are further places (`host:port`, see `place_of`) that may be private. Raises FetchError.
        """
        async with (
            self.opened(url, within_s, exempt) as (pool, target),
            _answered(pool, target, headers or {}) as (source, answer),
        ):
            yield _fetched(source, answer, limit_bytes)

    @asynccontextmanager
    async def opened(
        self, url: str, within_s: float, exempt: Collection[str] = ()
    ) -> AsyncIterator[tuple[httpcore.AsyncConnectionPool, Target]]:
        """Connections for one exchange, and where it goes. Raises FetchError, also when the time is up."""
        target = read_target(url)
        try:
            async with asyncio.timeout(within_s) as limit:
                trusted = self.certificates or await asyncio.to_thread(tls)
                async with httpcore.AsyncConnectionPool(
                    trusted, max_keepalive_connections=0, network_backend=self.dialler(exempt)
                ) as pool:
                    yield pool, target
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise TookTooLong(f"{target} did not answer in full within {within_s:g} s.") from error

    def dialler(self, exempt: Collection[str] = ()) -> GuardedDialler:
        """What looks names up and connects."""
        places = self.exempt | {place.lower() for place in exempt}
        return GuardedDialler(places, self.look_up, self.network or httpcore.AnyIOBackend())

    async def fetch(
        self, url: str, *, limit_bytes: int, within_s: float, exempt: Collection[str] = ()
    ) -> tuple[Fetched, bytes]:
        """A small file, whole. Raises FetchError."""
        async with self.stream(url, limit_bytes=limit_bytes, within_s=within_s, exempt=exempt) as fetched:
            return fetched, await fetched.read()


@asynccontextmanager
async def _answered(
    pool: httpcore.AsyncConnectionPool, asked: Target, headers: Mapping[str, str]
) -> AsyncIterator[tuple[Target, httpcore.Response]]:
    """The answer at the end of the redirects."""
    target = asked
    for _ in range(MOST_REDIRECTS + 1):
        own = headers if target.origin == asked.origin else {}
        answer = await ask(pool, target, own)
        try:
            if answer.status not in REDIRECTS:
                yield target, answer
                return
            target = target.leads_to(_header(answer, b"location"))
        finally:
            await answer.aclose()
    raise RefusedTarget(f"{asked} redirects more than {MOST_REDIRECTS} times.")


async def ask(
    pool: httpcore.AsyncConnectionPool, target: Target, headers: Mapping[str, str], content: bytes | None = None
) -> httpcore.Response:
    """One request: a GET, or a POST where there is something to send. Raises Unreachable."""
    url = target.url
    ours = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "Safelight"}
    if content is not None:
        ours["Content-Length"] = str(len(content))
    theirs = {name: value for name, value in headers.items() if name.lower() not in ("host", "accept-encoding")}
    request = httpcore.Request(
        "GET" if content is None else "POST",
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=[("Host", url.netloc), *{**ours, **theirs}.items()],
        content=content,
        extensions={"timeout": {"connect": IDLE_S, "read": IDLE_S, "write": IDLE_S, "pool": IDLE_S}},
    )
    try:
        return await pool.handle_async_request(request)
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
        raise Unreachable(f"{target} gave no answer: {_reason(error)}.") from error


def _fetched(source: Target, answer: httpcore.Response, limit_bytes: int) -> Fetched:
    if answer.status != 200:
        raise BadAnswer(f"{source} answered with status {answer.status}.", answer.status)
    declared = _header(answer, b"content-length")
    if declared.isdigit() and int(declared) > limit_bytes:
        raise TooManyBytes(f"{source} has {int(declared)} bytes; at most {limit_bytes} are taken.")
    encoding = _header(answer, b"content-encoding").strip().lower()
    pieces = _limited(decoded(_raw(source, answer), encoding), source, limit_bytes)
    mime = _header(answer, b"content-type").split(";")[0].strip().lower()
    return Fetched(source, mime, pieces)


async def _limited(pieces: AsyncIterator[bytes], source: Target, limit_bytes: int) -> AsyncIterator[bytes]:
    seen = 0
    async for piece in pieces:
        seen += len(piece)
        if seen > limit_bytes:
            raise TooManyBytes(f"{source} has more than the {limit_bytes} bytes that are taken.")
        yield piece


async def _raw(source: Target, answer: httpcore.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.aiter_stream():
            yield piece
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
        raise Unreachable(f"{source} did not send all of it: {_reason(error)}.") from error


def _header(answer: httpcore.Response, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in answer.headers if key.lower() == name), "")


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
