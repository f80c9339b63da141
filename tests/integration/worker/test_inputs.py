"""A provider gets the pictures that a job starts from; where one is missing, nothing is sent and nothing is paid."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from safelight.domain.errors import Remedy, StorageFailed
from safelight.providers.protocol import Input
from safelight.services.inputs import StoredInput, written
from safelight.storage.assets import AssetStore
from safelight.storage.keys import upload_key
from safelight.store.database import Database
from safelight.testing.pictures import tiny_png
from safelight.testing.providers import ScriptedProvider, done, rejected
from tests.integration.worker.house import House, lose_first_worker, play
from tests.integration.worker.test_routes import paid, with_routes

UPLOAD_ID = "01890000-0000-7000-8000-000000000000"
DATA = tiny_png()
HASH = hashlib.sha256(DATA).hexdigest()
KEY = upload_key(UPLOAD_ID, HASH, "image/png")
INPUTS = written([StoredInput("mask", "upload", UPLOAD_ID, KEY, "image/png", 8, 8, len(DATA), HASH)])


def test_the_provider_gets_bytes_and_what_they_are(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider([done()])

    async def scenario(house: House) -> None:
        await house.bench.store.put(KEY, DATA)
        await (await house.attempt(inputs=INPUTS)).run()
        assert (await house.look()).row.status == "completed"
        (generation,) = provider.generations
        assert generation.inputs == (Input("mask", DATA, "image/png", 8, 8),)

    play(database, tmp_path, provider, scenario)


def test_a_picture_that_is_gone_fails_the_job_before_anything_is_sent(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider()

    async def scenario(house: House) -> None:
        await (await house.attempt(inputs=INPUTS)).run()
        seen = await house.look()
        assert (seen.row.status, seen.row.captured, seen.error["code"]) == ("failed", 0, "storage_failed")
        assert "no longer in storage" in seen.error["message"]
        assert list(seen.calls) == provider.generations == []

    play(database, tmp_path, provider, scenario)


def test_a_picture_that_was_exchanged_is_not_sent_to_anybody(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider()

    async def scenario(house: House) -> None:
        await house.bench.store.put(KEY, DATA)
        (tmp_path / KEY).write_bytes(tiny_png(9))
        await (await house.attempt(inputs=INPUTS)).run()
        seen = await house.look()
        assert (seen.row.status, seen.error["code"]) == ("failed", "storage_failed")
        assert "not what was submitted" in seen.error["message"]
        assert provider.generations == []

    play(database, tmp_path, provider, scenario)


def test_while_storage_is_away_the_job_waits_for_another_try(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider([done()])

    async def scenario(house: House) -> None:
        store = house.bench.store

        async def away(key: str, byte_range: object = None) -> bytes:
            raise StorageFailed("Cannot read it: the network is down", remedy=Remedy("Wait."))

        store.get = away  # type: ignore[method-assign]
        await (await house.attempt(inputs=INPUTS)).run()
        seen = await house.look()
        assert (seen.row.status, seen.told[-1]) == ("pending", "retrying")
        assert list(seen.calls) == []

    play(database, tmp_path, provider, scenario)


def test_a_call_that_was_accepted_is_polled_although_its_picture_is_gone(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider(repeatable=False)
    provider.remember("r-1", done())

    async def scenario(house: House) -> None:
        await lose_first_worker(house, remote_id="r-1", inputs=INPUTS)
        await house.run_again()
        assert (await house.look()).row.status == "completed"
        assert provider.generations == []

    play(database, tmp_path, provider, scenario)


def test_a_picture_is_read_once_however_many_providers_are_asked(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = paid("first", [rejected("unavailable")]), paid("second")
    read = list[str]()
    get = AssetStore.get

    async def watched(self: AssetStore, key: str) -> bytes:
        read.append(key)
        return await get(self, key)

    monkeypatch.setattr(AssetStore, "get", watched)

    async def scenario(house: House) -> None:
        with_routes(house, first, second)
        await house.bench.store.put(KEY, DATA)
        await (await house.attempt(inputs=INPUTS)).run()
        assert [given.data for asked in (first, second) for given in asked.generations[0].inputs] == [DATA, DATA]
        assert read == [KEY]

    play(database, tmp_path, first, scenario)
