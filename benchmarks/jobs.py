"""Submitting and awaiting jobs over HTTP, with the times a user would see."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Any

import httpx

PROMPTS = ("sunset over the ocean", "neon city at night", "forest in fog", "a castle", "storm at sea", "dunes at noon")
ENDED = frozenset({"completed", "failed", "canceled", "partial"})


def client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, timeout=60, limits=httpx.Limits(max_connections=64))


async def submit(http: httpx.AsyncClient, n: int, *, size: int = 512) -> tuple[str, float]:
    """Submit picture `n`; its id, and how many seconds the answer took."""
    body = {"kind": "image", "prompt": PROMPTS[n % len(PROMPTS)], "params": {"width": size, "height": size, "seed": n}}
    started = time.perf_counter()
    answer = await http.post("/api/jobs", json=body)
    took = time.perf_counter() - started
    answer.raise_for_status()
    return str(answer.json()["id"]), took


async def look(http: httpx.AsyncClient, job: str) -> tuple[dict[str, Any], float]:
    """One look at a job, and how many seconds it took."""
    started = time.perf_counter()
    answer = await http.get(f"/api/jobs/{job}")
    took = time.perf_counter() - started
    answer.raise_for_status()
    return answer.json(), took


async def ended(http: httpx.AsyncClient, job: str, *, every_s: float = 0.01, limit_s: float = 600) -> dict[str, Any]:
    """The job, once it has ended."""
    async with asyncio.timeout(limit_s):
        while True:
            body, _ = await look(http, job)
            if body["status"] in ENDED:
                return body
            await asyncio.sleep(every_s)


async def all_jobs(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    """The whole gallery, page by page."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        answer = await http.get("/api/jobs", params={"limit": 200, **({"cursor": cursor} if cursor else {})})
        answer.raise_for_status()
        page = answer.json()
        found += page["jobs"]
        cursor = page["nextCursor"]
        if cursor is None:
            return found


def seconds_between(body: dict[str, Any], start: str, end: str) -> float:
    """Between two times of a job's body."""
    return (datetime.fromisoformat(body[end]) - datetime.fromisoformat(body[start])).total_seconds()
