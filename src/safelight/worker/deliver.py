"""From outputs to stored assets: provenance, hash, thumbnail, and durable bytes before anything is said."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Any

from safelight.domain.ids import new_id
from safelight.domain.outcomes import Output
from safelight.services.finish import NewAsset
from safelight.storage.assets import AssetStore
from safelight.storage.images import describe_image, thumbnail
from safelight.storage.keys import asset_key, thumbnail_key
from safelight.storage.provenance import Provenance, embed


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


async def deliver(store: AssetStore, origin: Origin, outputs: tuple[Output, ...]) -> list[NewAsset]:
    """Store every output and its thumbnail. Raises StorageFailed or UnreadablePicture; then nothing was promised."""
    assets = []
    for n, output in enumerate(outputs):
        finished = await asyncio.to_thread(_finish, origin, n, output)
        await store.put(finished.asset.key, finished.data)
        if finished.asset.thumbnail_key:
            await store.put(finished.asset.thumbnail_key, finished.thumbnail)
        assets.append(finished.asset)
    return assets


def _finish(origin: Origin, n: int, output: Output) -> _Finished:
    """In a thread: everything that takes processor time."""
    picture = describe_image(output.data)
    seed = output.metadata.get("seed")
    ai_generated = bool(output.metadata.get("ai_generated", origin.ai_generated))
    provenance = Provenance(
        job_id=origin.job_id,
        model=origin.model,
        prompt=origin.prompt,
        seed=seed if isinstance(seed, int) else origin.params.get("seed"),
        params=origin.params,
        ai_generated=ai_generated,
    )
    data = embed(output.data, picture.mime, provenance)
    sha256 = hashlib.sha256(data).hexdigest()
    key = asset_key(job_id=origin.job_id, call_id=origin.call_id, n=n, sha256=sha256, mime=picture.mime)
    asset = NewAsset(
        id=new_id(),
        call_id=origin.call_id,
        n=n,
        key=key,
        thumbnail_key=thumbnail_key(key),
        mime=picture.mime,
        size_bytes=len(data),
        width=picture.width,
        height=picture.height,
        duration_s=output.duration_s,
        sha256=sha256,
        ai_generated=ai_generated,
    )
    return _Finished(data, thumbnail(output.data), asset)
