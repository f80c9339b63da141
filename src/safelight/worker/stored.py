"""Files that are in storage under a call's name: they survive a worker that was lost before its finish."""

from __future__ import annotations

import asyncio
from typing import IO

from safelight.services.assets import NewAsset
from safelight.storage.assets import AssetStore
from safelight.storage.keys import job_folder, output_number, thumbnail_key
from safelight.worker.fetching import Fetching
from safelight.worker.finishing import Origin, Spoiled, found


async def stored_before(store: AssetStore, fetching: Fetching, origin: Origin) -> list[NewAsset]:
    """The whole ones, each output once. Raises StorageFailed where nobody can look."""
    keys = []
    async for stored in store.list(job_folder(origin.job_id)):
        n = output_number(stored.key, origin.call_id)
        if n is not None:
            keys.append((n, stored.key))
    whole: dict[int, NewAsset] = {}
    for n, key in sorted(keys):  # two workers may have been given one output in other bytes: it is one all the same
        if n not in whole and (asset := await _as_delivered(store, fetching, origin, n, key)):
            whole[n] = asset
    return list(whole.values())


async def _as_delivered(store: AssetStore, fetching: Fetching, origin: Origin, n: int, key: str) -> NewAsset | None:
    """The asset in a file, with its thumbnail; None if a power cut has left the file short."""
    with await asyncio.to_thread(fetching.new_file) as file:
        await _read_back(store, key, file)
        try:
            finished = await asyncio.to_thread(found, origin, n, file)
        except Spoiled:
            return None
        if finished.asset.key != key:
            return None
        small = finished.thumbnail
        if small and await store.head(thumbnail_key(key)) is None:
            await store.put(thumbnail_key(key), small)
        return finished.asset


async def _read_back(store: AssetStore, key: str, file: IO[bytes]) -> None:
    async for piece in store.stream(key):
        await asyncio.to_thread(file.write, piece)
