"""Safelight's calls as methods. Bodies are what the wire carries: plain dictionaries, shapes as /docs has them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from typing import Any, BinaryIO, NamedTuple, Self

import httpx

from safelight.client.calls import TIMEOUT, Caller, json_array, json_object
from safelight.client.errors import ClientError, refused, unreachable
from safelight.client.events import Event
from safelight.client.follow import follow
from safelight.client.poll import poll
from safelight.domain.ids import new_id
from safelight.domain.jobs import LIVE

LARGEST_PAGE = 200
PAUSE_S = 0.5
"""When nothing more comes for so long, the stored events have all been sent."""


class Page(NamedTuple):
    """Some jobs, newest first, and the cursor of those that follow."""

    jobs: list[dict[str, Any]]
    next_cursor: str | None


class Client:
    """One server, as one user. Every method may raise `ClientError`, or `ServerUnreachable` when nobody answers.

    `http` carries the base URL and the credential, and stays the caller's to close, unless `connect` made it.
    `streams=False` says that its transport cannot stream; `events` then polls.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        streams: bool = True,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._http = http
        self._caller = Caller(http, sleep)
        self._streams = streams

    @classmethod
    def connect(cls, url: str, key: str | None = None) -> Self:
        """A client for the server at `url`. Nothing is sent yet. Close it, or use it in `async with`."""
        base = _base_url(url)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        # A proxy from the environment is never the way to our own machine.
        return cls(httpx.AsyncClient(base_url=base, headers=headers, trust_env=not _is_loopback(base.host)))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def submit(
        self,
        /,
        kind: str,
        prompt: str | None = None,
        *,
        model: str | None = None,
        params: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """Hand in a job and return its body. What is left out, the server decides.

        Sent again when the connection breaks, under the same idempotency key (made here if not given), so that
        it never becomes two jobs. `fields` are the request's other members: `inputs`, `start_at`, `priority` ...
        """
        body = _given({"kind": kind, "prompt": prompt, "model": model, "params": params, "labels": labels, **fields})
        headers = {"Idempotency-Key": idempotency_key or new_id()}
        return json_object(await self._caller.ask("POST", "/api/jobs", may_repeat=True, json=body, headers=headers))

    async def dry_run(
        self,
        /,
        kind: str,
        prompt: str | None = None,
        *,
        model: str | None = None,
        params: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> dict[str, Any]:
        """What the same `submit` would cost and when it would be done, or why it would be refused. Makes nothing."""
        body = _given({"kind": kind, "prompt": prompt, "model": model, "params": params, "labels": labels, **fields})
        query = {"dry_run": "true"}
        return json_object(await self._caller.ask("POST", "/api/jobs", may_repeat=True, json=body, params=query))

    async def upload(self, picture: bytes) -> dict[str, Any]:
        """Bring a PNG, JPEG or WebP for `inputs` of jobs; its `id` is what they name. The same bytes are one upload."""
        files = {"file": ("picture", picture, "application/octet-stream")}
        return json_object(await self._caller.ask("POST", "/api/uploads", may_repeat=True, files=files))

    async def remove_upload(self, upload_id: str) -> None:
        """Take back an upload that no job names."""
        await self._caller.ask("DELETE", f"/api/uploads/{upload_id}", may_repeat=False)

    async def job(self, job_id: str) -> dict[str, Any]:
        return json_object(await self._caller.get(f"/api/jobs/{job_id}"))

    async def explain(self, job_id: str) -> dict[str, Any]:
        """Why it waits, runs or ended as it did: `verdict`, `others`, `timeline`, `next`, `would_start_if`, `voices`.

        Everything is for keys with the scope `admin`; others read what concerns the job's owner.
        """
        return json_object(await self._caller.get(f"/api/jobs/{job_id}/debug"))

    async def jobs(self, /, *, limit: int = 50, cursor: str | None = None, **filters: str | None) -> Page:
        """One page. Filters: `status`, `kind`, `model`, `parent`, `since`, and `label.KEY` (by ** of a dictionary)."""
        given = {"limit": str(limit), "cursor": cursor, **filters}
        query = {name: value for name, value in given.items() if value is not None}
        body = json_object(await self._caller.get("/api/jobs", params=query))
        return Page(jobs=body["jobs"], next_cursor=body["nextCursor"])

    async def all_jobs(self, /, **filters: str | None) -> AsyncIterator[dict[str, Any]]:
        """Every job, newest first, page by page as they are consumed."""
        cursor: str | None = None
        while True:
            page = await self.jobs(limit=LARGEST_PAGE, cursor=cursor, **filters)
            for job in page.jobs:
                yield job
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def items(
        self, job_id: str, *, limit: int = 50, cursor: str | None = None, status: str | None = None
    ) -> Page:
        """One page of a batch's items, in the order in which they were asked for."""
        given = {"limit": str(limit), "cursor": cursor, "status": status}
        query = {name: value for name, value in given.items() if value is not None}
        body = json_object(await self._caller.get(f"/api/jobs/{job_id}/items", params=query))
        return Page(jobs=body["jobs"], next_cursor=body["nextCursor"])

    async def all_items(self, job_id: str, *, status: str | None = None) -> AsyncIterator[dict[str, Any]]:
        """Every item of a batch, in order, page by page as they are consumed."""
        cursor: str | None = None
        while True:
            page = await self.items(job_id, limit=LARGEST_PAGE, cursor=cursor, status=status)
            for item in page.jobs:
                yield item
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def deliveries(self, job_id: str) -> list[dict[str, Any]]:
        """What the job's callback was told, with every try."""
        body = json_object(await self._caller.get(f"/api/jobs/{job_id}/deliveries"))
        found: list[dict[str, Any]] = body["deliveries"]
        return found

    async def retry(self, job_id: str) -> dict[str, Any]:
        """The job that is tried: the same one if it was waiting for its next try, else a new one."""
        return await self._made(f"/api/jobs/{job_id}/retry", None)

    async def replay(self, job_id: str, mode: str = "rerun") -> dict[str, Any]:
        """The new job. `mode` is `rerun` or `resume`."""
        return await self._made(f"/api/jobs/{job_id}/replay", {"mode": mode})

    async def _made(self, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        """Sent again when the connection breaks: the key sees to it that this makes one job."""
        headers = {"Idempotency-Key": new_id()}
        return json_object(await self._caller.ask("POST", path, may_repeat=True, json=body, headers=headers))

    async def cancel(self, job_id: str) -> dict[str, Any]:
        """`{was, job}`. Not repeated when the connection breaks; calling it again does no harm."""
        return json_object(await self._caller.ask("POST", f"/api/jobs/{job_id}/cancel", may_repeat=False))

    async def cancel_many(self, filter: Mapping[str, Any], *, dry_run: bool = False) -> dict[str, Any]:
        """Cancel one's jobs by a filter (`status`, `kind`, `labels` ...), 200 at a time: while it answers `more`, ask
        again. `dry_run` tells what it would touch.
        """
        return await self._many("/api/jobs/cancel", {"filter": filter}, {}, dry_run)

    async def retry_many(self, filter: Mapping[str, Any], *, dry_run: bool = False) -> dict[str, Any]:
        """Make one's failed jobs again by a filter, 200 at a time; `made` has the new ones."""
        return await self._many("/api/jobs/retry", {"filter": filter}, {"Idempotency-Key": new_id()}, dry_run)

    async def plan_recovery(
        self, /, action: str, filter: Mapping[str, Any], *, dry_run: bool = False, **fields: Any
    ) -> dict[str, Any]:
        """For operators: `requeue`, `fail`, `cancel` or `retry` the jobs of everybody that a filter means.

        `fields`: `message` for their users, `after_s` until it takes effect, `by`. `dry_run` tells what it would touch.
        """
        asked = _given({"action": action, "filter": filter, **fields})
        return await self._many("/api/admin/recoveries", asked, {}, dry_run)

    async def _many(self, path: str, body: dict[str, Any], headers: dict[str, str], dry_run: bool) -> dict[str, Any]:
        query = {"dry_run": "true"} if dry_run else {}
        asked = {"json": body, "headers": headers, "params": query}
        return json_object(await self._caller.ask("POST", path, may_repeat=dry_run, **asked))

    async def recoveries(self, *, limit: int = 50) -> list[dict[str, Any]]:
        """The newest plans."""
        body = json_object(await self._caller.get("/api/admin/recoveries", params={"limit": str(limit)}))
        found: list[dict[str, Any]] = body["recoveries"]
        return found

    async def recovery(self, recovery_id: str, *, limit: int = 100) -> dict[str, Any]:
        """A plan with some of its jobs, and what became of each."""
        query = {"limit": str(limit)}
        return json_object(await self._caller.get(f"/api/admin/recoveries/{recovery_id}", params=query))

    async def stop_recovery(self, recovery_id: str) -> dict[str, Any]:
        """Stop a plan before it takes effect."""
        path = f"/api/admin/recoveries/{recovery_id}"
        return json_object(await self._caller.ask("DELETE", path, may_repeat=False))

    async def delete(self, job_id: str) -> None:
        """Remove an ended job, or a whole batch, with its files."""
        await self._caller.ask("DELETE", f"/api/jobs/{job_id}", may_repeat=False)

    async def delete_asset(self, asset_id: str) -> None:
        """Remove one file of an ended job; the job stays."""
        await self._caller.ask("DELETE", f"/api/assets/{asset_id}", may_repeat=False)

    async def models(self) -> dict[str, Any]:
        return json_object(await self._caller.get("/api/models"))

    async def check_models(self) -> list[dict[str, Any]]:
        """What each provider says of the models that the catalog has at it. Takes some seconds."""
        return json_array(await self._caller.get("/api/health/models"))

    async def live(self) -> dict[str, Any]:
        """Answers at once and needs no credential: the way to find out whether somebody is there."""
        return json_object(await self._caller.ask("GET", "/api/live", may_repeat=False))

    async def session(self) -> dict[str, Any]:
        """Who one is: `mode` (local or keyed), `user_id` (null without a credential) and `scopes`."""
        return json_object(await self._caller.get("/api/session"))

    async def health(self) -> dict[str, Any]:
        return json_object(await self._caller.get("/api/health"))

    async def queue_health(self) -> dict[str, Any]:
        """How each queue does, `status` of the whole, and `findings` of the doctor inside the server."""
        return json_object(await self._caller.get("/api/health/queues"))

    async def workers(self) -> list[dict[str, Any]]:
        """Every process that runs or serves jobs, with its status, queues and slots."""
        return json_array(await self._caller.get("/api/health/workers"))

    async def providers(self, *, check: bool = False) -> list[dict[str, Any]]:
        """Every provider: set up or not, its gate, limits, today's spend. With `check` each is asked how it is."""
        return json_array(await self._caller.get("/api/health/providers", params={"check": "true"} if check else None))

    def events(self, job_id: str, after: int | None = None) -> AsyncGenerator[Event]:
        """The job's news until it has ended: a snapshot, or what came after sequence `after`, then live."""
        return (follow if self._streams else poll)(self._caller, job_id, after)

    async def history(self, job: Mapping[str, Any]) -> list[Event]:
        """The stored events of a job so far, oldest first. Of one that lives on, what arrives without a pause."""
        if not self._streams and job["status"] in LIVE:
            return []
        found: list[Event] = []
        async with aclosing(follow(self._caller, job["id"], after=0)) as events:
            with suppress(StopAsyncIteration, TimeoutError):
                while True:
                    event = await asyncio.wait_for(anext(events), PAUSE_S)
                    if found and event.sequence <= found[-1].sequence:
                        break  # the stream was cut and begun again with the newest: there is nothing newer
                    found.append(event)
        return found

    async def wait(self, job_id: str, timeout_s: float | None = None) -> dict[str, Any]:
        """The job's body once it has ended. Raises `TimeoutError` if that takes longer than `timeout_s`."""
        async with asyncio.timeout(timeout_s), aclosing(self.events(job_id)) as events:
            async for _ in events:
                pass
        return await self.job(job_id)

    async def download(self, url: str, to: BinaryIO) -> int:
        """Write an asset's bytes to an open file and return how many. `url` is the asset's `url`, signed."""
        request = self._http.build_request("GET", url, timeout=TIMEOUT)
        if not _same_origin(request.url, self._http.base_url):
            request.headers.pop("Authorization", None)
        try:
            response = await self._http.send(request, stream=True, follow_redirects=True)
            async with aclosing(response):
                if not response.is_success:
                    await response.aread()
                    raise refused(response)
                return sum([to.write(chunk) async for chunk in response.aiter_bytes()])
        except httpx.TransportError as error:
            raise unreachable(error) from error


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _base_url(url: str) -> httpx.URL:
    try:
        base = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise _bad_address(url) from error
    if base.scheme not in {"http", "https"} or not base.host:
        raise _bad_address(url)
    return base


def _bad_address(url: str) -> ClientError:
    return ClientError(
        f"{url!r} is not the address of a server.",
        code="bad_address",
        remedy="Write it like http://127.0.0.1:8000 or https://safelight.example.",
    )


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host == "::1" or host.startswith("127.")


def _same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    return (one.scheme, one.host, one.port) == (other.scheme, other.host, other.port)
