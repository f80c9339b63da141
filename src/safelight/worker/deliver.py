"""From outputs to stored assets: durable bytes before anything is said."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import assert_never

from safelight.domain.clock import local_s
from safelight.domain.errors import Remedy, StorageFailed
from safelight.domain.jobs import Stage
from safelight.domain.outcomes import Made, Output, RemoteFile
from safelight.services.assets import NewAsset
from safelight.storage.assets import AssetStore
from safelight.worker.fetching import Fetching
from safelight.worker.finishing import Finished, Origin, Said, finish

FETCH_SHARE = 0.95
"""Of the time that is left: who was too slow is to be told, the provider's server or our storage."""


class Delivery:
    """The outputs of one call on their way. `bring`, called again after it raised, goes on where it stopped."""

    def __init__(self, store: AssetStore, fetching: Fetching, origin: Origin, outputs: tuple[Made, ...]) -> None:
        self._store, self._fetching, self._origin, self._outputs = store, fetching, origin, outputs
        self._finished: dict[int, Finished] = {}
        self._stored: dict[int, NewAsset] = {}
        self.moved = asyncio.Event()
        """Set whenever something has been done."""
        self.steps_n = 0
        self.stage = Stage.UPLOADING

    async def bring(self, within_s: float) -> list[NewAsset]:
        """Store every output and its thumbnail. Raises Spoiled, NotFetched or StorageFailed: then nothing was promised.

        That it took longer than `within_s` is also a failure of the storage.
        """
        ends_s = local_s() + within_s
        try:
            async with asyncio.timeout(within_s):
                for n, output in enumerate(self._outputs):
                    if n not in self._stored:
                        await self._keep(n, output, ends_s)
        except TimeoutError as error:
            raise StorageFailed(
                f"Storing the files took longer than {within_s:.0f} s.",
                remedy=Remedy("Check that the storage answers, and how fast."),
                evidence={"store": self._store.url, "limit_s": within_s},
            ) from error
        return [self._stored[n] for n in range(len(self._outputs))]

    def close(self) -> None:
        """Let go of what was fetched."""
        for finished in self._finished.values():
            finished.file.close()
        self._finished.clear()

    async def _keep(self, n: int, output: Made, ends_s: float) -> None:
        if n not in self._finished:
            self._finished[n] = await self._finish(n, output, ends_s)
            self._step(Stage.UPLOADING)
        finished = self._finished[n]
        asset = finished.asset
        await self._store.put_file(asset.key, finished.file, asset.size_bytes, asset.sha256)
        if asset.thumbnail_key and finished.thumbnail:
            await self._store.put(asset.thumbnail_key, finished.thumbnail)
        self._stored[n] = asset
        self._finished.pop(n).file.close()
        self._step(Stage.UPLOADING)

    async def _finish(self, n: int, output: Made, ends_s: float) -> Finished:
        match output:
            case Output():
                said = Said(output.mime, output.duration_s, output.metadata)
                return await asyncio.to_thread(finish, self._origin, n, BytesIO(output.data), said)
            case RemoteFile():
                self._step(Stage.DOWNLOADING)
                within_s = (ends_s - local_s()) * FETCH_SHARE
                file, mime = await self._fetching.fetch(output, self._origin.provider, within_s)
                said = Said(mime, output.duration_s, output.metadata)
                try:
                    return await asyncio.to_thread(finish, self._origin, n, file, said)
                except BaseException:
                    file.close()
                    raise
            case _:
                assert_never(output)

    def _step(self, stage: Stage) -> None:
        self.stage, self.steps_n = stage, self.steps_n + (stage is Stage.UPLOADING)
        self.moved.set()
