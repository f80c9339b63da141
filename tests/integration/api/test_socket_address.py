"""Where jobs say that their socket is: beside the server, or at the address of SAFELIGHT_SOCKET_URL."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from tests.support.door import Door


def test_without_a_setting_it_is_beside_the_server(sqlite_door: Door) -> None:
    job = sqlite_door.submit()
    assert sqlite_door.show(job["id"])["urls"]["socket"].endswith("/api/ws")


def test_with_one_every_job_names_that_address_as_it_is(tmp_path: Path, sqlite_url: str) -> None:
    elsewhere = "wss://live.example.org:8443/safelight/ws"
    with closing(Door(tmp_path, sqlite_url, environ={"SAFELIGHT_SOCKET_URL": elsewhere})) as door:
        job = door.submit()
        assert job["urls"]["socket"] == elsewhere
        assert door.show(job["id"])["urls"]["socket"] == elsewhere
