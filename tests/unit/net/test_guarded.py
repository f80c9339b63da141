"""Fetching what strangers name: never from this network, never for ever, never without end."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest

from safelight.net.errors import BadAnswer, FetchError, RefusedTarget, TookTooLong, TooManyBytes, Unreachable
from safelight.net.guarded import Guarded
from tests.unit.net.places import PUBLIC, Handler, Names, Network, Seen, answering, ok, redirect, serving

URL = "http://files.test/picture.png?sig=hidden"


class World:
    """One server behind the public address, and a client that looks names up in the test's own book."""

    def __init__(self, handler: Handler, names: Names | None = None, **client: Any) -> None:
        self.network = Network()
        self.handler = handler
        self.tls: ssl.SSLContext | None = None
        names = names or Names(files_test=[[PUBLIC]], other_test=[[PUBLIC]])
        self.client = Guarded(look_up=names, network=self.network, **client)
        self.seen = Seen()

    def fetch(self, url: str = URL, *, limit_bytes: int = 1000, within_s: float = 5.0, **options: Any) -> bytes:
        async def run() -> bytes:
            async with serving(self.handler, self.network, self.tls) as self.seen:
                stream = self.client.stream(url, limit_bytes=limit_bytes, within_s=within_s, **options)
                async with stream as fetched:
                    return await fetched.read()

        return asyncio.run(run())

    @property
    def addresses(self) -> list[str]:
        return [address for address, _ in self.network.dialled]


def test_a_file_at_a_public_address_is_fetched_from_the_address_that_was_checked() -> None:
    world = World(answering(ok(b"bytes")))
    assert world.fetch() == b"bytes"
    assert world.network.dialled == [(PUBLIC, 80)]
    assert "Host: files.test\r\n" in world.seen.heads[0]


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "100.64.0.1"])
def test_a_name_that_leads_into_this_network_is_not_dialled(address: str) -> None:
    world = World(answering(ok(b"secret")), Names(files_test=[[address]]))
    with pytest.raises(RefusedTarget, match="does not lead to a public address"):
        world.fetch()
    assert world.network.dialled == []


def test_one_private_answer_among_public_ones_is_enough_to_refuse() -> None:
    world = World(answering(ok(b"secret")), Names(files_test=[[PUBLIC, "10.0.0.1"]]))
    with pytest.raises(RefusedTarget):
        world.fetch()
    assert world.network.dialled == []


def test_a_name_that_changes_its_answer_after_the_check_gains_nothing() -> None:
    """The classic rebinding: public when it is checked, private when it is dialled. It is looked up once."""
    world = World(answering(ok(b"bytes")), Names(files_test=[[PUBLIC], ["127.0.0.1"]]))
    world.fetch()
    assert world.addresses == [PUBLIC]


def test_a_name_that_changes_its_answer_before_a_redirect_is_checked_again() -> None:
    world = World(answering(redirect("/again"), ok(b"secret")), Names(files_test=[[PUBLIC], ["127.0.0.1"]]))
    with pytest.raises(RefusedTarget):
        world.fetch()
    assert world.addresses == [PUBLIC]


@pytest.mark.parametrize(
    "to",
    [
        *("http://127.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/", "http://[::ffff:7f00:1]/"),
        *("http://2130706433/", "http://0177.0.0.1/", "http://0x7f.1/", "http://127.1/", "http://0/", "//127.0.0.1/"),
    ],
)
def test_a_redirect_into_this_network_is_not_followed_however_it_is_written(to: str) -> None:
    """Numbers that only the resolver reads as an address go to the system's own resolver."""
    from safelight.net.dialling import look_up

    names = Names(files_test=[[PUBLIC]])

    async def both(host: str, port: int) -> Any:
        return await (names if host == "files.test" else look_up)(host, port)

    world = World(answering(redirect(to), ok(b"secret")), both)  # type: ignore[arg-type]
    with pytest.raises(RefusedTarget):
        world.fetch()
    assert world.addresses == [PUBLIC]


@pytest.mark.parametrize(
    "to", ["file:///etc/passwd", "gopher://files.test/", "http://user:pw@files.test/", "javascript:1", "http://", ""]
)
def test_a_redirect_to_what_is_no_plain_http_url_is_refused(to: str) -> None:
    world = World(answering(redirect(to)))
    with pytest.raises(RefusedTarget):
        world.fetch()


@pytest.mark.parametrize(
    "url",
    [
        *(
            "file:///etc/passwd",
            "ftp://files.test/a",
            "http://user@files.test/",
            "http://:pw@files.test/",
            "files.test",
        ),
        *("http:///a", "", "http://files.test:99999/", "http://files.test/\x00", "http://a" + "b" * 5000),
        *("http://xn--/", "http://xn--a/", "https://xn--\u00e9.test/"),
    ],
)
def test_only_plain_http_and_https_urls_are_fetched(url: str) -> None:
    world = World(answering(ok(b"x")))
    with pytest.raises(RefusedTarget):
        world.fetch(url)
    assert world.network.dialled == []


def test_redirects_come_to_an_end() -> None:
    world = World(answering(redirect("/round")))
    with pytest.raises(RefusedTarget, match="more than 5 times"):
        world.fetch()
    assert len(world.seen.heads) == 6


def test_headers_for_one_server_are_not_told_to_another() -> None:
    world = World(answering(redirect("/here"), redirect("http://other.test/there"), ok(b"bytes")))
    assert world.fetch(headers={"Authorization": "Bearer k"}) == b"bytes"
    assert ["Bearer k" in head for head in world.seen.heads] == [True, True, False]


def test_only_the_named_place_is_exempt() -> None:
    names = Names(files_test=[["127.0.0.1"]], other_test=[["127.0.0.1"]])
    world = World(answering(ok(b"bytes")), names, exempt=frozenset({"files.test:80"}))
    assert world.fetch() == b"bytes"
    for elsewhere in ("http://files.test:81/", "http://other.test/"):
        with pytest.raises(RefusedTarget):
            world.fetch(elsewhere)
    assert world.fetch("http://other.test:8080/", exempt=["Other.test:8080"]) == b"bytes"


def test_a_body_that_is_declared_too_large_is_not_read() -> None:
    world = World(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"))
    with pytest.raises(TooManyBytes, match="5000 bytes"):
        world.fetch()


def test_a_body_that_says_it_is_short_is_read_no_further() -> None:
    world = World(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + b"x" * 5000))
    assert world.fetch() == b"xxxx"


def test_a_body_that_ends_before_its_length_is_an_error() -> None:
    world = World(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\nxxxx"))
    with pytest.raises(Unreachable, match="did not send all"):
        world.fetch()


def test_an_endless_body_is_cut_at_the_limit() -> None:
    sent = 0

    async def endless(writer: asyncio.StreamWriter, _head: str) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 1000)
            await writer.drain()
            sent += 1000

    with pytest.raises(TooManyBytes):
        World(endless).fetch(limit_bytes=20_000)
    assert sent < 50_000_000


def test_a_body_that_drips_is_given_up_in_time() -> None:
    stopped = asyncio.Event()

    async def drip(writer: asyncio.StreamWriter, _head: str) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
        while not stopped.is_set():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    with pytest.raises(TookTooLong, match=r"within 0\.3 s"):
        World(drip).fetch(within_s=0.3)


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    async def silent(_writer: asyncio.StreamWriter, _head: str) -> None:
        await asyncio.Event().wait()

    with pytest.raises(TookTooLong):
        World(silent).fetch(within_s=0.2)


def test_the_time_also_holds_for_whoever_reads() -> None:
    async def run() -> None:
        world = World(answering(ok(b"bytes")))
        async with (
            serving(world.handler, world.network),
            world.client.stream(URL, limit_bytes=10, within_s=0.2),
        ):
            await asyncio.Event().wait()

    with pytest.raises(TookTooLong):
        asyncio.run(run())


def test_a_readers_own_time_limit_stays_its_own() -> None:
    async def run() -> None:
        world = World(answering(ok(b"bytes")))
        async with (
            serving(world.handler, world.network),
            world.client.stream(URL, limit_bytes=10, within_s=5.0),
            asyncio.timeout(0.05),
        ):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError) as raised:
        asyncio.run(run())
    assert not isinstance(raised.value, FetchError)


def test_an_encoding_that_nobody_asked_for_is_undone() -> None:
    world = World(answering(ok(gzip.compress(b"bytes"), "Content-Encoding: gzip")))
    assert world.fetch() == b"bytes"
    world = World(answering(ok(zlib.compress(b"bytes"), "Content-Encoding: deflate")))
    assert world.fetch() == b"bytes"


def test_a_small_answer_that_would_be_large_is_cut_at_the_limit() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    world = World(answering(ok(bomb, "Content-Encoding: gzip")))
    with pytest.raises(TooManyBytes):
        world.fetch(limit_bytes=600_000)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x"])
def test_other_encodings_are_refused(encoding: str) -> None:
    world = World(answering(ok(b"bytes", f"Content-Encoding: {encoding}")))
    with pytest.raises(BadAnswer, match="encoded"):
        world.fetch()


def test_an_encoding_that_is_damaged_or_cut_is_an_error() -> None:
    for body in (b"no gzip at all", gzip.compress(b"bytes" * 100)[:-12]):
        world = World(answering(ok(body, "Content-Encoding: gzip")))
        with pytest.raises(BadAnswer):
            world.fetch()


@pytest.mark.parametrize(
    ("status", "can_get_better"), [(404, False), (403, False), (206, False), (429, True), (503, True)]
)
def test_another_status_is_an_error_that_says_whether_to_try_again(status: int, can_get_better: bool) -> None:
    world = World(answering(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode()))
    with pytest.raises(BadAnswer) as raised:
        world.fetch()
    assert (raised.value.status, raised.value.can_get_better) == (status, can_get_better)


def test_errors_do_not_tell_the_query_which_may_be_a_signature() -> None:
    world = World(answering(b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n"))
    with pytest.raises(BadAnswer) as raised:
        world.fetch()
    assert "http://files.test/picture.png" in str(raised.value)
    assert "hidden" not in str(raised.value)


def test_what_is_no_http_is_an_error() -> None:
    with pytest.raises(Unreachable):
        World(answering(b"SSH-2.0-OpenSSH_9.6\r\n")).fetch()


def test_a_name_that_does_not_exist_can_get_better() -> None:
    with pytest.raises(Unreachable) as raised:
        World(answering(ok(b""))).fetch("http://nowhere.test/")
    assert raised.value.can_get_better


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of files.test, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=files.test"]
    command += ["-addext", "subjectAltName=DNS:files.test", "-keyout", str(folder / "key"), "-out", str(folder / "pem")]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def encrypted(certificate: Path, handler: Handler) -> World:
    world = World(handler, certificates=ssl.create_default_context(cafile=certificate / "pem"))
    world.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    world.tls.load_cert_chain(certificate / "pem", certificate / "key")
    return world


def test_the_certificate_is_checked_against_the_name_although_an_address_is_dialled(certificate: Path) -> None:
    world = encrypted(certificate, answering(ok(b"bytes")))
    assert world.fetch("https://files.test/") == b"bytes"
    assert world.network.dialled == [(PUBLIC, 443)]
    with pytest.raises(Unreachable):
        world.fetch("https://other.test/")


def test_a_redirect_does_not_give_up_encryption(certificate: Path) -> None:
    world = encrypted(certificate, answering(redirect("http://files.test/plain")))
    with pytest.raises(RefusedTarget, match="https to http"):
        world.fetch("https://files.test/")
