"""From outputs to stored assets: provenance, hash, thumbnail, and durable bytes before anything is said."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safelight.domain.errors import Remedy, StorageFailed
from safelight.domain.ids import new_id
from safelight.domain.outcomes import Made, Output, RemoteFile
from safelight.services.assets import NewAsset
from safelight.storage.assets import AssetStore
from safelight.storage.images import PictureInfo, UnreadablePicture, describe_image, thumbnail
from safelight.storage.keys import asset_key, output_number, thumbnail_key
from safelight.storage.provenance import Provenance, embed

LONGEST_SEED_BITS = 64


@dataclass(frozen=True, slots=True)
class Origin:
    """What the files of one call came from."""

    job_id: str
    call_id: str
    model: str
    prompt: str
    params: dict[str, Any]
    ai_generated: bool


@dataclass(frozen=True, slots=True)
class _Finished:
    """One file as it will be stored."""

    data: bytes
    thumbnail: bytes
    asset: NewAsset


async def deliver(store: AssetStore, origin: Origin, outputs: tuple[Made, ...], within_s: float) -> list[NewAsset]:
    """Store every output and its thumbnail. Raises UnreadablePicture, UnreadableContainer or StorageFailed.

    Then nothing was promised. That it took longer than `within_s` is also a failure of the storage.
    """
    try:
        async with asyncio.timeout(within_s):
            return [await _keep(store, origin, n, output) for n, output in enumerate(outputs)]
    except TimeoutError as error:
        raise StorageFailed(
            f"Storing the files took longer than {within_s:.0f} s.",
            remedy=Remedy("Check that the storage answers, and how fast."),
            evidence={"store": store.url, "limit_s": within_s},
        ) from error


async def stored_before(store: AssetStore, origin: Origin) -> list[NewAsset]:
    """The files that are in storage under this call's name: they survive a worker that was lost before its finish."""
    found = []
    async for stored in store.list(f"assets/{origin.job_id}"):
        n = output_number(stored.key, origin.call_id)
        if n is not None:
            found.append((n, stored.key))
    whole: dict[int, NewAsset] = {}
    for n, key in sorted(
        found
    ):  # two workers may have been given the same output in other bytes: it is one all the same
        if n not in whole and (asset := await _as_delivered(store, origin, n, key)):
            whole[n] = asset
    return list(whole.values())


async def _as_delivered(store: AssetStore, origin: Origin, n: int, key: str) -> NewAsset | None:
    """The asset in a file, with its thumbnail; None if a power cut has left the file short."""
    data = await store.get(key)
    try:
        picture = await asyncio.to_thread(describe_image, data)
    except UnreadablePicture:
        return None
    asset = _asset(origin, n, picture, data, None, origin.ai_generated)
    if asset.key != key:
        return None
    if await store.head(thumbnail_key(key)) is None:
        await store.put(thumbnail_key(key), await asyncio.to_thread(thumbnail, data))
    return asset


async def _keep(store: AssetStore, origin: Origin, n: int, output: Made) -> NewAsset:
    if isinstance(output, RemoteFile):
        raise TypeError("no provider of this release delivers addresses")
    finished = await asyncio.to_thread(_finish, origin, n, output)
    await store.put(finished.asset.key, finished.data)
    if finished.asset.thumbnail_key:
        await store.put(finished.asset.thumbnail_key, finished.thumbnail)
    return finished.asset


def _finish(origin: Origin, n: int, output: Output) -> _Finished:
    """In a thread: everything that takes processor time."""
    picture = describe_image(output.data)
    papers = _papers(origin, output.metadata)
    data = embed(output.data, picture.mime, papers)
    asset = _asset(origin, n, picture, data, _length_s(output), papers.ai_generated)
    return _Finished(data, thumbnail(output.data), asset)


def _papers(origin: Origin, said: Mapping[str, Any]) -> Provenance:
    """What the provider said of a file is used where it makes sense; nonsense must not spoil a picture."""
    seed, ai_generated = said.get("seed"), said.get("ai_generated")
    return Provenance(
        job_id=origin.job_id,
        model=origin.model,
        prompt=origin.prompt,
        seed=seed if type(seed) is int and seed.bit_length() <= LONGEST_SEED_BITS else origin.params.get("seed"),
        params=origin.params,
        ai_generated=ai_generated if isinstance(ai_generated, bool) else origin.ai_generated,
    )


def _length_s(output: Output) -> float | None:
    """JSON has no way to write NaN or infinity."""
    return output.duration_s if output.duration_s is not None and math.isfinite(output.duration_s) else None


def _asset(
    origin: Origin, n: int, picture: PictureInfo, data: bytes, duration_s: float | None, ai_generated: bool
) -> NewAsset:
    sha256 = hashlib.sha256(data).hexdigest()
    key = asset_key(job_id=origin.job_id, call_id=origin.call_id, n=n, sha256=sha256, mime=picture.mime)
    return NewAsset(
        id=new_id(),
        call_id=origin.call_id,
        n=n,
        key=key,
        thumbnail_key=thumbnail_key(key),
        mime=picture.mime,
        size_bytes=len(data),
        width=picture.width,
        height=picture.height,
        duration_s=duration_s,
        sha256=sha256,
        ai_generated=ai_generated,
    )
