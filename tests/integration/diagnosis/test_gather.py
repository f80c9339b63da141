"""Whatever is down, the facts come in time, and say what was seen of it."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from safelight.adapters import Adapters
from safelight.app import sources
from safelight.catalog.loading import load_catalog
from safelight.diagnosis.facts import Facts
from safelight.diagnosis.gather import USUAL, Patience, gather
from safelight.providers.protocol import ProbeResult, Provider
from safelight.settings import usable_settings
from safelight.store.turnstile import Turnstile
from safelight.testing.providers import ScriptedProvider
from tests.support.door import Door

HURRY = Patience(database_s=0.4, storage_s=1.0, provider_s=0.4, socket_s=0.4)


@dataclass(frozen=True)
class Found:
    facts: Facts
    took_s: float


def gathered(
    folder: Path, environ: Mapping[str, str], provider: Provider | None = None, patience: Patience = USUAL
) -> Found:
    settings, problems = usable_settings({"SAFELIGHT_DATA_DIR": str(folder / "data"), **environ}, cwd=folder)
    found = Adapters({provider.name: provider} if provider else {}, {}, {})
    given = sources(settings, load_catalog(), found, problems=problems)
    started = time.monotonic()
    facts = asyncio.run(gather(given, patience))
    return Found(facts, time.monotonic() - started)


def test_where_nothing_was_ever_started_nothing_is_made(tmp_path: Path) -> None:
    facts = gathered(tmp_path, {}).facts
    assert (facts.database.exists, facts.rows, facts.storage.exists, facts.socket) == (False, None, False, None)
    assert list(tmp_path.iterdir()) == []


def test_of_a_fresh_installation_everything_is_known(door: Door, tmp_path: Path, database_url: str) -> None:
    door.submit()
    facts = gathered(tmp_path, {"SAFELIGHT_DATABASE_URL": database_url}).facts
    assert facts.rows is not None
    assert (facts.database.trouble, facts.database.is_migrated, facts.storage.trouble) == (None, True, None)
    assert abs(facts.database.clock_ahead_s) < 1
    assert [(queue.name, queue.waiting) for queue in facts.rows.queues if queue.waiting] == [("image", 1)]
    assert facts.rows.jobs_ever == 1
    assert list((tmp_path / "data" / "assets").iterdir()) == [], "the test file is gone again"


def test_settings_that_are_wrong_do_not_hide_the_rest(door: Door, tmp_path: Path, database_url: str) -> None:
    environ = {"SAFELIGHT_DATABASE_URL": database_url, "SAFELIGHT_LEASE_SECONDS": "x", "SAFELIGHT_PRT": "1"}
    facts = gathered(tmp_path, environ).facts
    assert sorted(problem.kind for problem in facts.configuration.problems) == ["invalid", "unknown"]
    assert facts.configuration.lease_s == 30.0
    assert facts.rows is not None


def test_the_whole_takes_less_than_five_seconds_whatever_is_silent() -> None:
    assert USUAL.whole_s < 5


def test_a_server_that_takes_connections_and_never_answers_gets_its_time_and_no_more(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://postgres@127.0.0.1:{silent.getsockname()[1]}/x"
        environ = {"SAFELIGHT_DATABASE_URL": url, "SAFELIGHT_PUBLIC_URL": "http://localhost"}
        found = gathered(tmp_path, environ, patience=HURRY)
    assert found.took_s < HURRY.whole_s + 0.5
    assert found.facts.database.trouble is not None
    assert found.facts.rows is None
    assert found.facts.configuration.public_url == "http://localhost"


def test_a_database_that_refuses_says_so(tmp_path: Path) -> None:
    facts = gathered(tmp_path, {"SAFELIGHT_DATABASE_URL": "postgresql://postgres@127.0.0.1:1/x"}).facts
    assert facts.database.trouble is not None
    assert "refused" in facts.database.trouble.what


def test_a_database_that_may_not_be_written_says_so(
    sqlite_door: Door, tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root, who runs tests in containers, may write all
    facts = gathered(tmp_path, {"SAFELIGHT_DATABASE_URL": sqlite_url}).facts
    assert facts.database.trouble is not None
    assert (facts.database.trouble.kind, facts.rows) == ("denied", None)


def test_whoever_keeps_the_others_from_writing_is_named(sqlite_door: Door, tmp_path: Path, sqlite_url: str) -> None:
    with Turnstile(Path(sqlite_url.removeprefix("sqlite:///"))).held():
        facts = gathered(tmp_path, {"SAFELIGHT_DATABASE_URL": sqlite_url}).facts
    assert facts.database.writer_pid == os.getpid()
    assert facts.rows is not None


class _Asked(ScriptedProvider):
    """With a key, and what it says when it is asked."""

    def __init__(self, answer: ProbeResult | Exception | None) -> None:
        super().__init__()
        self.fingerprint = "key"
        self._answer = answer

    async def probe(self) -> ProbeResult:
        if self._answer is None:
            await asyncio.Event().wait()
        if isinstance(self._answer, Exception):
            raise self._answer
        assert self._answer is not None
        return self._answer


def test_a_provider_is_asked_and_one_that_is_silent_or_broken_is_a_fact(tmp_path: Path) -> None:
    refused = ProbeResult(True, key_valid=False, message="no such key")
    (one,) = gathered(tmp_path, {}, _Asked(refused)).facts.providers
    assert one.probe == refused
    (broken,) = gathered(tmp_path, {}, _Asked(KeyError("x"))).facts.providers
    assert broken.probe is not None
    assert (broken.probe.reachable, "KeyError" in broken.probe.message) == (False, True)
    silent = gathered(tmp_path, {}, _Asked(None), HURRY)
    assert silent.took_s < HURRY.whole_s + 0.5
    assert silent.facts.providers[0].probe is not None
    assert not silent.facts.providers[0].probe.reachable


def test_the_socket_of_a_server_that_beats_is_opened(door: Door, tmp_path: Path, database_url: str) -> None:
    environ = {"SAFELIGHT_DATABASE_URL": database_url}
    with door.listening() as base:
        role = door.safelight.role("api", url=base)
        process = door.run(door.safelight.start_process(role))
        try:
            right = gathered(tmp_path, environ).facts.socket
            wrong = gathered(tmp_path, {**environ, "SAFELIGHT_SOCKET_URL": "ws://127.0.0.1:1/api/ws"}).facts.socket
        finally:
            door.run(process.stop())
    assert right is not None
    assert (right.trouble, right.configured, right.url.endswith("/api/ws")) == (None, False, True)
    assert wrong is not None
    assert (wrong.configured, wrong.server_url) == (True, base)
    assert wrong.trouble
