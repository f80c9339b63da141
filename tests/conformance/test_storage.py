"""What every asset store does, on local disk and in an object store alike (one in memory, and a real S3 server)."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from safelight.domain.errors import Gone, StorageFailed
from safelight.storage.assets import AssetStore
from safelight.storage.keys import asset_key, checked_key, thumbnail_key
from safelight.testing.object_stores import VISITOR, ThrowawayS3, environment, throwaway_s3

PICTURE = bytes(range(256)) * 4096
FILM = bytes(range(256)) * 70_000
JOB = "0199a1b2-0000-7000-8000-000000000001"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def key_of(data: bytes, n: int = 0, mime: str = "image/png") -> str:
    return asset_key(job_id=JOB, call_id="c1", n=n, sha256=sha256(data), mime=mime)


async def collected(store: AssetStore, key: str, byte_range: tuple[int, int] | None = None) -> bytes:
    return b"".join([piece async for piece in store.stream(key, byte_range)])


async def listed(store: AssetStore, prefix: str) -> list[str]:
    return sorted([found.key async for found in store.list(prefix)])


class StoreSuite:
    """Subclass it and give `store`."""

    @pytest.fixture
    def store(self) -> AssetStore:
        raise AssertionError("a subclass gives the store")

    def test_what_was_put_can_be_got_streamed_and_described(self, store: AssetStore) -> None:
        async def scenario() -> None:
            key = key_of(PICTURE)
            await store.put(key, PICTURE)
            assert await store.get(key) == PICTURE
            assert await collected(store, key) == PICTURE
            described = await store.head(key)
            assert described is not None
            assert (described.key, described.size_bytes) == (key, len(PICTURE))
            assert described.modified_at > 1_700_000_000

        asyncio.run(scenario())

    @pytest.mark.parametrize(("start", "end"), [(0, 1), (10, 300), (len(PICTURE) - 5, len(PICTURE))])
    def test_a_part_can_be_got_and_streamed(self, store: AssetStore, start: int, end: int) -> None:
        async def scenario() -> None:
            key = key_of(PICTURE)
            await store.put(key, PICTURE)
            assert await store.get(key, (start, end)) == PICTURE[start:end]
            assert await collected(store, key, (start, end)) == PICTURE[start:end]

        asyncio.run(scenario())

    def test_putting_the_same_again_is_fine_and_changes_nothing(self, store: AssetStore) -> None:
        async def scenario() -> None:
            key = key_of(PICTURE)
            await store.put(key, PICTURE)
            before = await store.head(key)
            await asyncio.gather(*(store.put(key, PICTURE) for _ in range(5)))
            assert await store.head(key) == before

        asyncio.run(scenario())

    def test_a_name_that_holds_other_bytes_is_never_overwritten(self, store: AssetStore) -> None:
        async def scenario() -> None:
            key = key_of(PICTURE)
            await store.put(key, PICTURE)
            with pytest.raises(StorageFailed, match="already stored"):
                await store.put(key, b"a zombie's picture")
            assert await store.get(key) == PICTURE

        asyncio.run(scenario())

    def test_a_file_left_short_by_a_power_cut_is_replaced_by_the_bytes_its_name_promises(
        self, store: AssetStore
    ) -> None:
        async def scenario() -> None:
            key = key_of(PICTURE)
            await store.put(key, b"")
            await store.put(key, PICTURE)
            assert await store.get(key) == PICTURE

        asyncio.run(scenario())

    def test_a_thumbnail_left_short_is_replaced_too(self, store: AssetStore) -> None:
        async def scenario() -> None:
            key = thumbnail_key(key_of(PICTURE))
            await store.put(key, b"")
            await store.put(key, b"a thumbnail")
            assert await store.get(key) == b"a thumbnail"

        asyncio.run(scenario())

    @pytest.mark.parametrize("data", [PICTURE, FILM], ids=["small", "large"])
    def test_an_open_file_is_stored_from_its_start_and_again_over_itself(self, store: AssetStore, data: bytes) -> None:
        async def scenario() -> None:
            key = key_of(data, mime="video/mp4")
            file = io.BytesIO(data)
            file.seek(0, io.SEEK_END)
            for _ in range(2):
                await store.put_file(key, file, len(data), sha256(data))
                assert await store.get(key) == data
            assert await collected(store, key, (len(data) - 7, len(data))) == data[-7:]
            assert await listed(store, "assets") == [key]

        asyncio.run(scenario())

    def test_large_bytes_are_stored_in_parts_and_repair_what_was_left_short(self, store: AssetStore) -> None:
        async def scenario() -> None:
            key = key_of(FILM, mime="video/mp4")
            await store.put(key, FILM[:10])
            await store.put(key, FILM)
            assert await store.get(key) == FILM

        asyncio.run(scenario())

    def test_a_large_file_is_refused_under_the_name_of_another(self, store: AssetStore) -> None:
        async def scenario() -> None:
            key = key_of(PICTURE, mime="video/mp4")
            with pytest.raises(StorageFailed, match="not those that the name promises"):
                await store.put_file(key, io.BytesIO(FILM), len(FILM), sha256(FILM))
            assert await store.head(key) is None

        asyncio.run(scenario())

    def test_its_clock_tells_the_time_and_leaves_nothing_behind(self, store: AssetStore) -> None:
        async def scenario() -> None:
            await store.put(key_of(PICTURE), PICTURE)
            put = await store.head(key_of(PICTURE))
            assert put is not None
            assert 0 <= await store.now() - put.modified_at < 60
            assert [found.key async for found in store.list("assets")] == [key_of(PICTURE)]

        asyncio.run(scenario())

    def test_it_lets_us_look_and_write(self, store: AssetStore) -> None:
        async def scenario() -> None:
            await store.check()
            await store.reach()

        asyncio.run(scenario())

    def test_what_is_not_there_is_gone_to_readers_and_nothing_to_lookers(self, store: AssetStore) -> None:
        async def scenario() -> None:
            key = key_of(PICTURE)
            assert await store.head(key) is None
            with pytest.raises(Gone):
                await store.get(key)
            with pytest.raises(Gone):
                await store.get(key, (0, 5))
            with pytest.raises(Gone):
                await collected(store, key)

        asyncio.run(scenario())

    def test_deleting_removes_what_is_there_and_forgives_what_is_not(self, store: AssetStore) -> None:
        async def scenario() -> None:
            first, second = key_of(PICTURE, 0), key_of(PICTURE, 1)
            await store.put(second, PICTURE)
            await store.delete([first, second])
            await store.delete([second])
            assert await store.head(second) is None
            await store.put(second, PICTURE)
            assert await store.get(second) == PICTURE

        asyncio.run(scenario())

    def test_listing_finds_what_lies_below_whole_segments(self, store: AssetStore) -> None:
        async def scenario() -> None:
            for key in ("assets/j1/a.png", "assets/j1/b.png", "assets/j12/c.png"):
                await store.put(key, b"x")
            assert await listed(store, "assets/j1") == ["assets/j1/a.png", "assets/j1/b.png"]
            assert len(await listed(store, "assets")) == 3
            assert await listed(store, "assets/nothing") == []

        asyncio.run(scenario())

    @pytest.mark.parametrize(
        "key",
        [
            *("../secret", "assets/../../secret", "/etc/passwd", "assets//x", "assets/./x", "", "a\x00b"),
            *("a\\..\\b", "assets/.hidden", "assets/%2e%2e/x", "é", "a b", "x" * 513),
        ],
    )
    def test_no_key_leads_out_of_the_store(self, store: AssetStore, key: str) -> None:
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: store.put(key, b"x"),
            lambda: store.get(key),
            lambda: store.head(key),
            lambda: store.delete([key]),
            lambda: collected(store, key),
            lambda: listed(store, key),
        ]

        async def attempt(call: Callable[[], Awaitable[object]]) -> None:
            with pytest.raises(StorageFailed, match="cannot be the name"):
                await call()

        for call in calls:
            asyncio.run(attempt(call))


class TestMemoryStore(StoreSuite):
    @pytest.fixture
    def store(self) -> AssetStore:
        return AssetStore("memory:///")

    def test_it_has_no_disk_to_fill(self, store: AssetStore) -> None:
        assert store.root is None
        assert store.free_disk_bytes() is None


class TestS3Store(StoreSuite):
    """On a server that checks signatures. Whoever holds only the bucket's key finds and leaves nothing else."""

    @pytest.fixture
    def store(self, s3_url: str) -> AssetStore:
        return AssetStore(s3_url)

    def test_many_at_once_store_one_object_and_none_is_overwritten(self, store: AssetStore) -> None:
        """If-None-Match: whoever comes second compares, and only the bytes its name promises replace others."""

        async def scenario() -> None:
            key = key_of(PICTURE)
            zombies = [store.put(key, b"a zombie's %d" % n) for n in range(8)]
            await asyncio.gather(store.put(key, PICTURE), *zombies, return_exceptions=True)
            await store.put(key, PICTURE)
            assert await store.get(key) == PICTURE
            refused = await asyncio.gather(*(store.put(key, b"late") for _ in range(4)), return_exceptions=True)
            assert all(isinstance(error, StorageFailed) for error in refused)
            assert await store.get(key) == PICTURE

        asyncio.run(scenario())

    def test_a_server_without_create_only_writes_is_written_to_without_them(
        self, s3_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AWS_CONDITIONAL_PUT", "disabled")
        store = AssetStore(s3_url)

        async def scenario() -> None:
            for _ in range(2):
                await store.put(key_of(PICTURE), PICTURE)
            assert await store.get(key_of(PICTURE)) == PICTURE

        asyncio.run(scenario())

    def test_a_listing_goes_on_over_pages(self, store: AssetStore) -> None:
        """S3 lists at most 1,000 keys at a time."""

        async def scenario() -> None:
            keys = [f"assets/{JOB}/c-{n}-00000000.png" for n in range(1_050)]
            for some in range(0, len(keys), 50):
                await asyncio.gather(*(store.put(key, b".") for key in keys[some : some + 50]))
            assert await listed(store, "assets") == sorted(keys)

        asyncio.run(scenario())

    def test_its_own_signed_address_serves_the_file_as_what_it_is_and_to_nobody_else(self, store: AssetStore) -> None:
        key = key_of(FILM, mime="video/mp4")

        async def scenario() -> str:
            await store.put(key, FILM)
            url = await store.signed_url(key, 60)
            assert url is not None
            return url

        url = asyncio.run(scenario())
        with httpx.Client(trust_env=False) as client:
            answer = client.get(url, headers={"Range": "bytes=0-9"})
            assert (answer.status_code, answer.content) == (206, FILM[:10])
            assert answer.headers["Content-Type"] == "video/mp4"
            assert answer.headers["Content-Disposition"].startswith('inline; filename="safelight-0199a1b2-0-')
            assert client.get(url.partition("?")[0]).status_code == 403
            assert client.get(url.replace("Signature=", "Signature=0")).status_code == 403
            assert client.get(url.replace("Expires=60", "Expires=6000")).status_code == 403

    @pytest.mark.parametrize("variable", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
    def test_wrong_credentials_are_refused_at_the_first_look_with_what_to_check(
        self, s3_url: str, variable: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(variable, "wrong")
        store = AssetStore(s3_url)
        for look in (store.check, store.reach, lambda: store.put("assets/a.png", b"x"), lambda: store.head("a.png")):
            with pytest.raises(StorageFailed) as caught:
                asyncio.run(look())
            assert caught.value.evidence["trouble"] == "denied"
            assert "AWS_SECRET_ACCESS_KEY" in caught.value.remedy.text
            assert "safelight-secret" not in str(caught.value) + str(caught.value.evidence)

    def test_a_missing_bucket_is_named(self, s3: ThrowawayS3, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in environment(s3.endpoint, *VISITOR).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(StorageFailed, match="NoSuchBucket") as caught:
            asyncio.run(AssetStore("s3://not-there").check())
        assert caught.value.evidence["trouble"] == "no_bucket"
        assert "bucket" in caught.value.remedy.text


def test_a_server_that_goes_away_is_told_within_seconds_and_used_again_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
    s3: ThrowawayS3,  # so that a missing binary skips the test
) -> None:
    with throwaway_s3() as own:
        for name, value in own.environment.items():
            monkeypatch.setenv(name, value)
        store = AssetStore(f"s3://{own.bucket}")

        async def scenario() -> None:
            await store.put(key_of(PICTURE), PICTURE)
            own.stop()
            uses = [store.put(key_of(FILM), FILM), store.get(key_of(PICTURE)), collected(store, key_of(PICTURE))]
            for use in (*uses, store.head("a.png"), listed(store, "assets"), store.delete(["a.png"])):
                async with asyncio.timeout(20):
                    with pytest.raises(StorageFailed, match="cannot be reached") as caught:
                        await use
                assert caught.value.evidence["trouble"] == "failed"
            own.start()
            await store.put(key_of(FILM), FILM)
            assert await store.get(key_of(PICTURE)) == PICTURE
            assert await store.get(key_of(FILM)) == FILM

        asyncio.run(scenario())


class TestLocalStore(StoreSuite):
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        return tmp_path / "data here" / "assets"

    @pytest.fixture
    def store(self, root: Path) -> AssetStore:
        return AssetStore(root.as_uri())

    def test_the_folder_is_made_for_its_owner_only(self, store: AssetStore, root: Path) -> None:
        assert store.root == root
        assert stat.S_IMODE(root.stat().st_mode) == 0o700

    def test_free_space_is_that_of_its_disk(self, store: AssetStore) -> None:
        free = store.free_disk_bytes()
        assert free is not None
        assert free > 0

    def test_a_put_has_reached_the_disk_file_and_folders_when_it_returns(
        self, store: AssetStore, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        flushed: list[Path] = []
        really_flush = os.fsync

        def noted(handle: int) -> None:
            flushed.append(Path(os.readlink(f"/proc/self/fd/{handle}")))
            really_flush(handle)

        monkeypatch.setattr(os, "fsync", noted)
        key = key_of(PICTURE)
        asyncio.run(store.put(key, PICTURE))
        path = root / key
        assert flushed == [path, path.parent, path.parent.parent, root]
        asyncio.run(store.put(key, PICTURE))
        again = flushed[4:]
        assert again == [path, path.parent, path.parent.parent], "a file that was there may not have reached the disk"

    def test_deleting_the_last_file_of_a_job_removes_its_folder(self, store: AssetStore, root: Path) -> None:
        async def scenario() -> None:
            await store.put("assets/j1/a.png", b"x")
            await store.delete(["assets/j1/a.png"])

        asyncio.run(scenario())
        assert not (root / "assets/j1").exists()
        assert root.is_dir()

    def test_no_half_written_file_is_left_behind(self, store: AssetStore, root: Path) -> None:
        asyncio.run(store.put("assets/j1/a.png", PICTURE))
        assert [path.name for path in (root / "assets/j1").iterdir()] == ["a.png"]

    def test_a_folder_in_the_place_of_a_file_is_an_error_that_names_it(self, store: AssetStore, root: Path) -> None:
        (root / "assets/j1/a.png/x").mkdir(parents=True)
        with pytest.raises(StorageFailed) as caught:
            asyncio.run(store.put("assets/j1/a.png", b"x"))
        assert caught.value.evidence["key"] == "assets/j1/a.png"
        assert isinstance(caught.value.evidence["free_disk_bytes"], int)

    def test_a_file_in_the_place_of_the_folder_is_refused_at_once(self, tmp_path: Path) -> None:
        (tmp_path / "assets").write_text("not a folder")
        with pytest.raises(StorageFailed, match="Cannot open") as caught:
            AssetStore((tmp_path / "assets").as_uri())
        assert str(tmp_path / "assets") in str(caught.value.remedy)


def test_a_url_of_no_store_is_refused_without_its_password() -> None:
    with pytest.raises(StorageFailed, match="Cannot open") as caught:
        AssetStore("ftp://ann:hush@here/assets")
    assert "hush" not in str(caught.value) + str(caught.value.evidence)


def test_a_key_names_job_call_number_and_hash() -> None:
    key = asset_key(job_id=JOB, call_id="c9", n=3, sha256="deadbeefcafe", mime="image/jpeg")
    assert key == f"assets/{JOB}/c9-3-deadbeef.jpg"
    assert thumbnail_key(key) == f"assets/{JOB}/c9-3-deadbeef-thumb.webp"
    assert checked_key(thumbnail_key(key)) == thumbnail_key(key)
