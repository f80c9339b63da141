"""Results that a provider keeps at an address: fetched at once, through the guard, and again while there is time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from safelight.domain.jobs import Stage
from safelight.domain.outcomes import Done, Output, Pending, RemoteFile
from safelight.storage.provenance import read_file
from safelight.store.connect import open_database
from safelight.store.database import Database, Limits
from safelight.testing.hollow_films import hollow_film
from safelight.testing.pictures import tiny_png
from safelight.testing.providers import ScriptedProvider
from safelight.testing.tiny_http import Outcome, Reply, Request, Silence, listen
from safelight.worker.aftercare import Aftercare
from safelight.worker.attempt import Attempt
from safelight.worker.bench import Pace
from safelight.worker.finishing import Origin
from safelight.worker.stored import stored_before
from tests.integration.services.scene import turn_back
from tests.integration.worker.house import MODEL, QUICK, House, Look, play
from tests.integration.worker.test_aftercare_loop import look_again_now, overdue
from tests.unit.storage.films import real_film

FILM = hollow_film(50_000)
OK = Reply(200, FILM, {"Content-Type": "video/mp4"})
PATIENT = replace(QUICK, store_for_s=5.0)


@pytest.fixture
def database(sqlite_url: str) -> Iterator[Database]:
    opened = open_database(sqlite_url, Limits(writers=1, readers=1))
    yield opened
    opened.close()


@dataclass
class Shelf:
    """The provider's file server. For each path the answers in turn; the last one stays."""

    answers: dict[str, list[Outcome]]
    asked: list[Request] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: Request) -> Outcome:
        self.asked.append(request)
        turns = self.answers.get(request.path, [Reply(404, b"")])
        return turns.pop(0) if len(turns) > 1 else turns[0]

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.asked]


@asynccontextmanager
async def shelf(house: House, answers: Mapping[str, Any], *, own: bool = True) -> Any:
    """Listening; `own` says whether it is at the place that the operator gave to the provider."""
    one = Shelf({path: list(turns) if isinstance(turns, list) else [turns] for path, turns in answers.items()})
    server = await listen(one.handle, 0)
    host, port = server.sockets[0].getsockname()
    one.url = f"http://{host}:{port}"
    if own:
        house.bench.fetching.places["scripted"] = f"{host}:{port}"  # type: ignore[index]
    try:
        yield one
    finally:
        server.close()


Act = Callable[[House, Shelf], Awaitable[None]]


def with_shelf(
    database: Database,
    folder: Path,
    answers: Mapping[str, Any],
    links: list[str],
    act: Act,
    *,
    repeatable: bool = False,
    accepted: bool = False,
    own: bool = True,
    pace: Pace = PATIENT,
    headers: Mapping[str, str] | None = None,
    may_come_later: bool = False,
) -> None:
    """Job `a` at a provider whose results lie on a shelf under these links."""
    provider = ScriptedProvider(repeatable=repeatable)

    async def scenario(house: House) -> None:
        async with shelf(house, answers, own=own) as it:
            found = Done(
                tuple(RemoteFile(f"{it.url}{link}", headers or {}, may_come_later=may_come_later) for link in links),
                cost_usd=0.3,
            )
            script = [Pending("r-1"), *[found] * 5] if accepted else [found]
            provider._scripts = iter([script])
            await act(house, it)
            assert len(provider.generations) == 1

    play(database, folder / "files", provider, scenario, pace=pace)


async def ended(house: House, **given: Any) -> Look:
    await (await house.attempt(**given)).run()
    return await house.look()


async def due_now(house: House) -> None:
    """Its next look has come."""
    number = (await house.look()).row.number
    await house.database.write(lambda tx: turn_back(tx, number, "due_at"))


async def stored(house: House, key: str) -> bytes:
    return await house.bench.store.get(key)


def test_a_film_is_fetched_described_and_stored_with_its_papers(database: Database, tmp_path: Path) -> None:
    film = real_film(tmp_path).getvalue()

    async def act(house: House, it: Shelf) -> None:
        seen = await ended(house)
        assert (seen.row.status, seen.row.captured, seen.call.cost_usd) == ("completed", 10, 0.3)
        (asset,) = seen.assets
        assert (asset.mime, asset.width, asset.height, asset.duration_s) == ("video/mp4", 320, 192, 2.0)
        data = await stored(house, asset.key)
        assert data.startswith(film)
        assert len(data) == asset.bytes
        assert asset.key.endswith(f"-{asset.sha256[:8]}.mp4")
        with (tmp_path / "files" / asset.key).open("rb") as file:
            papers = read_file(file)
        assert papers is not None
        assert (papers.job_id, papers.provider, papers.model) == ("a", "scripted", "fake")
        assert (await stored(house, asset.thumbnail_key))[8:12] == b"WEBP"

    with_shelf(database, tmp_path, {"/film.mp4": Reply(200, film)}, ["/film.mp4"], act)


def test_a_file_that_is_not_there_yet_is_waited_for_and_a_cut_one_fetched_again(
    database: Database, tmp_path: Path
) -> None:
    turns = [Reply(404, b""), Reply(503, b""), replace(OK, cut=True), OK]

    async def act(house: House, it: Shelf) -> None:
        seen = await ended(house)
        assert (seen.row.status, len(seen.assets)) == ("completed", 1)
        assert it.paths == ["/a.mp4"] * 4

    with_shelf(database, tmp_path, {"/a.mp4": turns}, ["/a.mp4"], act, may_come_later=True)


def test_what_was_fetched_and_stored_is_not_fetched_again_when_another_file_is_late(
    database: Database, tmp_path: Path
) -> None:
    answers = {"/1.png": Reply(200, tiny_png(1)), "/2.png": [Reply(404, b""), Reply(404, b""), Reply(200, tiny_png(2))]}

    async def act(house: House, it: Shelf) -> None:
        seen = await ended(house, outputs=2)
        assert (seen.row.status, len(seen.assets)) == ("completed", 2)
        assert it.paths == ["/1.png", "/2.png", "/2.png", "/2.png"]

    with_shelf(database, tmp_path, answers, ["/1.png", "/2.png"], act, may_come_later=True)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_an_address_that_has_expired_fails_the_job_at_once_and_its_user_pays_nothing(
    database: Database, tmp_path: Path, status: int
) -> None:
    async def act(house: House, it: Shelf) -> None:
        seen = await ended(house)
        assert (seen.row.status, seen.row.captured, seen.error["code"]) == ("failed", 0, "unavailable")
        assert f"status {status}" in seen.error["message"]
        assert seen.error["provider"] == "scripted"
        assert "secret" not in str(seen.error)
        assert (seen.call.state, seen.call.cost_usd, it.paths) == ("succeeded", 0.3, ["/a.mp4"])

    links = ["/a.mp4?token=secret"]
    with_shelf(database, tmp_path, {"/a.mp4": Reply(status, b"")}, links, act, accepted=True)


def test_what_a_provider_keeps_under_a_name_is_fetched_again_later(database: Database, tmp_path: Path) -> None:
    async def act(house: House, it: Shelf) -> None:
        seen = await ended(house)
        assert (seen.row.status, seen.call.state) == ("pending", "accepted")
        it.answers["/a.mp4"] = [OK]
        await due_now(house)
        await house.run_again()
        seen = await house.look()
        assert (seen.row.status, seen.row.attempt, len(seen.assets)) == ("completed", 1, 1)

    with_shelf(database, tmp_path, {"/a.mp4": Reply(503, b"")}, ["/a.mp4"], act, accepted=True, pace=QUICK)


def test_a_paid_file_that_nobody_can_fetch_fails_with_the_reason_after_a_while(
    database: Database, tmp_path: Path
) -> None:
    async def act(house: House, it: Shelf) -> None:
        seen = await ended(house)
        assert (seen.row.status, seen.row.captured, seen.error["code"]) == ("failed", 0, "unavailable")
        assert "status 500" in seen.error["message"]
        assert len(it.paths) > 1

    with_shelf(database, tmp_path, {"/a.mp4": Reply(500, b"")}, ["/a.mp4"], act, pace=QUICK)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Reply(200, b"<html>Sign in</html>", {"Content-Type": "text/html"}), "neither a picture nor a film"),
        (Reply(200, b"<html>Sign in</html>", {"Content-Type": "video/mp4"}), "neither a picture nor a film"),
        (Reply(200, FILM, {"Content-Type": "image/png"}), "claims to be image/png, but is video/mp4"),
        (Reply(200, FILM[:-1]), "cut short"),
        (Reply(200, b""), "neither a picture nor a film"),
        (Reply(200, tiny_png()[:40]), "cannot be read"),
        (Reply(200, tiny_png() + bytes(200_000)), "at most|more than the 100000 bytes"),
        (Reply(200, hollow_film(3_000_000)), "at most 1000000"),
        (Reply(302, b"", {"Location": "http://127.0.0.1:1/a.mp4"}), "public address"),
    ],
    ids=["html", "lying html", "film as picture", "short film", "empty", "half picture", "huge picture", "huge", "led"],
)
def test_what_is_no_delivery_is_the_providers_error_and_not_bought_again(
    database: Database, tmp_path: Path, answer: Reply, why: str
) -> None:
    async def act(house: House, it: Shelf) -> None:
        object.__setattr__(house.bench.fetching, "picture_bytes", 100_000)
        object.__setattr__(house.bench.fetching, "film_bytes", 1_000_000)
        seen = await ended(house)
        assert (seen.row.status, seen.row.captured, seen.error["code"]) == ("failed", 0, "protocol")
        assert any(part in seen.error["message"] for part in why.split("|")), seen.error["message"]
        assert (seen.call.state, len(it.paths), seen.assets) == ("succeeded", 1, [])

    with_shelf(database, tmp_path, {"/a.mp4": answer}, ["/a.mp4"], act)


def test_an_address_in_a_private_network_is_not_even_called(database: Database, tmp_path: Path) -> None:
    async def act(house: House, it: Shelf) -> None:
        seen = await ended(house)
        assert (seen.row.status, seen.error["code"], it.paths) == ("failed", "protocol", [])
        assert "public address" in seen.error["message"]

    with_shelf(database, tmp_path, {"/a.mp4": OK}, ["/a.mp4"], act, own=False)


def test_a_key_that_the_download_needs_is_sent_and_never_told(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def act(house: House, it: Shelf) -> None:
        seen = await ended(house)
        assert seen.row.status == "completed"
        assert it.asked[0].headers["authorization"] == "Bearer hush-hush"

    headers = {"Authorization": "Bearer hush-hush"}
    turns = {"/a.mp4": [Reply(503, b""), OK]}
    with_shelf(database, tmp_path, turns, ["/a.mp4"], act, headers=headers)
    said = capsys.readouterr()
    assert "hush-hush" not in said.out + said.err + repr(RemoteFile("http://x", headers))


def test_fetching_is_a_stage_that_watchers_see(database: Database, tmp_path: Path) -> None:
    stages: list[str] = []

    async def act(house: House, it: Shelf) -> None:
        attempt = await house.attempt()
        running = asyncio.create_task(attempt.run())
        with house.bench.hub.waiting(f"job:{attempt.job.id}") as waiter:
            while Stage.DOWNLOADING not in stages:
                await waiter.wait(0.05)
                waiter.clear()
                stages.append((await house.look()).row.stage)
        it.answers["/a.mp4"] = [OK]
        await running
        assert (await house.look()).row.status == "completed"

    pace = replace(PATIENT, say_uploading_after_s=0.01)
    with_shelf(database, tmp_path, {"/a.mp4": Reply(404, b"")}, ["/a.mp4"], act, pace=pace, may_come_later=True)


def test_a_server_that_says_nothing_is_left_when_the_time_is_over(database: Database, tmp_path: Path) -> None:
    pace = replace(QUICK, deliver_at_least_s=2.0, store_for_s=0.0)

    async def act(house: House, it: Shelf) -> None:
        await house.submit("a")
        (job,) = await house.claim()
        await Attempt(house.bench, job._replace(seconds_left=0.1)).run()
        seen = await house.look()
        assert (seen.row.status, seen.error["code"]) == ("failed", "unavailable")
        assert "did not answer in full within" in seen.error["message"]

    with_shelf(database, tmp_path, {"/a.mp4": Silence()}, ["/a.mp4"], act, pace=pace)


def test_a_film_in_memory_is_stored_as_one_behind_an_address(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider([Done((Output(FILM, "video/mp4", metadata={"seed": 9, "ai_generated": False}),))])

    async def scenario(house: House) -> None:
        seen = await ended(house)
        (asset,) = seen.assets
        assert (seen.row.status, asset.mime, asset.duration_s) == ("completed", "video/mp4", 2.5)
        assert (asset.thumbnail_key, asset.ai_generated) == (None, False), "there is nothing to see in it"
        with (tmp_path / asset.key).open("rb") as file:
            papers = read_file(file)
        assert papers is not None
        assert (papers.seed, papers.ai_generated) == (9, False)

    play(database, tmp_path, provider, scenario)


def test_no_temporary_file_is_left_whatever_happens(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "incoming"
    folder.mkdir()

    async def act(house: House, it: Shelf) -> None:
        object.__setattr__(house.bench.fetching, "folder", folder)
        await ended(house)
        assert list(folder.iterdir()) == []

    with_shelf(database, tmp_path, {"/a.mp4": Reply(200, FILM[:-1])}, ["/a.mp4"], act)


def test_a_film_that_was_stored_before_a_lost_finish_is_found_with_its_length_and_poster(
    database: Database, tmp_path: Path
) -> None:
    film = real_film(tmp_path).getvalue()

    async def act(house: House, it: Shelf) -> None:
        first = (await ended(house)).assets[0]
        await house.bench.store.delete([first.thumbnail_key])
        origin = Origin("a", house.provider.call_ids[0], "scripted", MODEL.id, "a cat", {}, MODEL.ai_generated)
        (again,) = await stored_before(house.bench.store, house.bench.fetching, origin)
        named = ("key", "mime", "width", "height", "duration_s", "sha256", "thumbnail_key")
        assert [getattr(again, name) for name in named] == [getattr(first, name) for name in named]
        assert again.size_bytes == first.bytes
        assert await house.bench.store.head(first.thumbnail_key)
        path = tmp_path / "files" / first.key
        path.write_bytes(path.read_bytes()[:-10])
        assert await stored_before(house.bench.store, house.bench.fetching, origin) == []

    with_shelf(database, tmp_path, {"/a.mp4": Reply(200, film)}, ["/a.mp4"], act)


def test_a_film_that_comes_after_its_job_has_ended_is_kept_for_nothing(database: Database, tmp_path: Path) -> None:
    provider = ScriptedProvider(repeatable=False)

    async def scenario(house: House) -> None:
        async with shelf(house, {"/late.mp4": OK}) as it:
            await overdue(house, remote_id="r-1")
            provider.remember("r-1", Done((RemoteFile(f"{it.url}/late.mp4"),), 0.4))
            assert await Aftercare(house.bench).run_once() == 1
            seen = await house.look()
            assert (seen.row.status, seen.row.captured, seen.call.state) == ("failed", 0, "succeeded")
            assert [(asset.recovered, asset.mime) for asset in seen.assets] == [(True, "video/mp4")]

    play(database, tmp_path, provider, scenario)


def test_a_late_film_that_is_gone_ends_the_look_and_one_that_may_come_does_not(
    database: Database, tmp_path: Path
) -> None:
    provider = ScriptedProvider(repeatable=False)

    async def scenario(house: House) -> None:
        async with shelf(house, {"/late.mp4": [Reply(404, b""), Reply(410, b"")]}) as it:
            await overdue(house, remote_id="r-1")
            late = Done((RemoteFile(f"{it.url}/late.mp4", may_come_later=True),), 0.4)
            provider.remember("r-1", late, late)
            await Aftercare(house.bench).run_once()
            assert (await house.look()).call.state == "accepted"
            seen = await look_again_now(house)
            assert (seen.call.state, seen.call.cost_usd, seen.assets) == ("succeeded", 0.4, [])

    play(database, tmp_path, provider, scenario)
