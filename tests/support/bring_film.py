"""Bring a film from an address into a store, in a process of its own, and say how much memory that took.

python -m tests.support.bring_film URL STORE_URL FOLDER
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from pathlib import Path

from safelight.domain.outcomes import RemoteFile
from safelight.net.guarded import Guarded
from safelight.net.targets import place_of
from safelight.storage import images
from safelight.storage.assets import AssetStore
from safelight.worker.deliver import Delivery
from safelight.worker.fetching import Fetching
from safelight.worker.finishing import Origin
from safelight.worker.stored import stored_before

JOB = "0199a1b2-0000-7000-8000-000000000001"


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def main(url: str, store_url: str, folder: str) -> None:
    store = AssetStore(store_url)
    fetching = Fetching(Guarded(), {"scripted": place_of(url)}, Path(folder))
    origin = Origin(JOB, "c1", "scripted", "fake", "a very long film", {}, True)
    images.warm_up()
    small = Origin(JOB, "c0", "scripted", "fake", "a short film", {}, True)
    await Delivery(store, fetching, small, (RemoteFile(f"{url}/short"),)).bring(60)
    before_mb = peak_mb()
    (asset,) = await Delivery(store, fetching, origin, (RemoteFile(url),)).bring(120)
    brought_mb = peak_mb()
    (again,) = await stored_before(store, fetching, origin)
    told = {"brought_mb": brought_mb - before_mb, "found_mb": peak_mb() - before_mb, "bytes": asset.size_bytes}
    print(json.dumps({**told, "same": again.sha256 == asset.sha256, "length_s": asset.duration_s}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
