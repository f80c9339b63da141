"""`Client` for programs without asyncio: the same methods from the same source, each returning when it is done.

Its calls run on an event loop in a thread of its own, so any number of threads may share one of these.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from safelight.client.client import Client

_P = ParamSpec("_P")
_T = TypeVar("_T")


class _Blocks(Generic[_P, _T]):
    """A method of `Client` that is awaited, as one that returns."""

    def __init__(self, method: Callable[Concatenate[Client, _P], Coroutine[Any, Any, _T]]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    @overload
    def __get__(self, client: None, owner: type[object]) -> Self: ...
    @overload
    def __get__(self, client: BlockingClient, owner: type[object]) -> Callable[_P, _T]: ...
    def __get__(self, client: BlockingClient | None, owner: type[object]) -> Self | Callable[_P, _T]:
        if client is None:
            return self

        def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            return client.run(lambda: self._method(client.client, *args, **kwargs))

        call.__doc__, call.__name__ = self._method.__doc__, self._method.__name__
        return call


class _Iterates(Generic[_P, _T]):
    """A method of `Client` that yields asynchronously, as one that gives a generator. Close it when you leave early."""

    def __init__(self, method: Callable[Concatenate[Client, _P], AsyncIterator[_T]]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    @overload
    def __get__(self, client: None, owner: type[object]) -> Self: ...
    @overload
    def __get__(self, client: BlockingClient, owner: type[object]) -> Callable[_P, Iterator[_T]]: ...
    def __get__(self, client: BlockingClient | None, owner: type[object]) -> Self | Callable[_P, Iterator[_T]]:
        if client is None:
            return self

        def call(*args: _P.args, **kwargs: _P.kwargs) -> Iterator[_T]:
            return client.iterate(lambda: self._method(client.client, *args, **kwargs))

        call.__doc__, call.__name__ = self._method.__doc__, self._method.__name__
        return call


class BlockingClient:
    """One server, as one user, for code that is not async. Methods are those of `Client`; so are the errors."""

    def __init__(self, connect: Callable[[], Client]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="safelight-client", daemon=True)
        self._thread.start()
        self._closed = False
        try:
            self.client = self.run(lambda: _made(connect))
        except BaseException:
            self._stop()
            raise

    @classmethod
    def connect(cls, url: str, key: str | None = None) -> Self:
        """A client for the server at `url`. Nothing is sent yet. Close it, or use it in `with`."""
        return cls(lambda: Client.connect(url, key))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections and end its thread. Closing twice does nothing."""
        if self._closed:
            return
        try:
            self.run(self.client.close)
        finally:
            self._stop()

    submit = _Blocks(Client.submit)
    dry_run = _Blocks(Client.dry_run)
    upload = _Blocks(Client.upload)
    remove_upload = _Blocks(Client.remove_upload)
    job = _Blocks(Client.job)
    explain = _Blocks(Client.explain)
    jobs = _Blocks(Client.jobs)
    all_jobs = _Iterates(Client.all_jobs)
    items = _Blocks(Client.items)
    all_items = _Iterates(Client.all_items)
    deliveries = _Blocks(Client.deliveries)
    retry = _Blocks(Client.retry)
    replay = _Blocks(Client.replay)
    cancel = _Blocks(Client.cancel)
    cancel_many = _Blocks(Client.cancel_many)
    retry_many = _Blocks(Client.retry_many)
    plan_recovery = _Blocks(Client.plan_recovery)
    recoveries = _Blocks(Client.recoveries)
    recovery = _Blocks(Client.recovery)
    stop_recovery = _Blocks(Client.stop_recovery)
    delete = _Blocks(Client.delete)
    delete_asset = _Blocks(Client.delete_asset)
    models = _Blocks(Client.models)
    check_models = _Blocks(Client.check_models)
    live = _Blocks(Client.live)
    session = _Blocks(Client.session)
    health = _Blocks(Client.health)
    queue_health = _Blocks(Client.queue_health)
    workers = _Blocks(Client.workers)
    providers = _Blocks(Client.providers)
    events = _Iterates(Client.events)
    history = _Blocks(Client.history)
    wait = _Blocks(Client.wait)
    download = _Blocks(Client.download)

    def run(self, work: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        """What the coroutine returns or raises. Ctrl-C in the calling thread cancels it."""
        if self._closed:
            raise RuntimeError("This client is closed.")
        if threading.current_thread() is self._thread:
            raise RuntimeError("A blocking client cannot wait for itself: use safelight.client.Client in async code.")
        running = asyncio.run_coroutine_threadsafe(work(), self._loop)
        try:
            return running.result()
        except BaseException:
            running.cancel()
            raise

    def iterate(self, begin: Callable[[], AsyncIterator[_T]]) -> Iterator[_T]:
        """What the asynchronous generator yields, each asked for when it is wanted."""
        stream = begin()
        try:
            while True:
                try:
                    found = self.run(lambda: _next(stream))
                except StopAsyncIteration:
                    return
                yield found
        finally:
            if isinstance(stream, AsyncGenerator) and not self._closed:
                self.run(stream.aclose)

    def _stop(self) -> None:
        self._closed = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _made(connect: Callable[[], Client]) -> Client:
    return connect()


async def _next(stream: AsyncIterator[_T]) -> _T:
    return await anext(stream)
