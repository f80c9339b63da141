"""A real nginx in a folder of its own, configured by the very blocks of docs/proxy.md, with TLS."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safelight.testing.throwaway import NoServer

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "proxy.md"
PATIENCE_S = 20.0
CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {map}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {folder}/cert.pem;
        ssl_certificate_key {folder}/key.pem;
        {location}
    }}
}}
"""


def block(name: str, language: str = "nginx") -> str:
    """A block of the guide, as its readers copy it."""
    found = re.search(rf"<!-- {name}:begin -->\n```{language}\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert found is not None, f"docs/proxy.md has no block {name!r}"
    return found[1]


@contextmanager
def nginx(folder: Path, port: int, inner_port: int, **changes: str) -> Iterator[str]:
    """The address of the server at `inner_port` as the guide has it, with words replaced. Raises NoServer."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if program is None or shutil.which("openssl") is None:
        raise NoServer("no nginx or openssl; on Debian: apt-get install nginx-light openssl")
    folder.mkdir()
    _certificate(folder)
    location = block("nginx").replace("127.0.0.1:8000", f"127.0.0.1:{inner_port}")
    for old, new in changes.items():
        assert old in location
        location = location.replace(old, new)
    text = CONFIGURATION.format(folder=folder, port=port, map=block("nginx-map"), location=location)
    (folder / "nginx.conf").write_text(text)
    with (folder / "log").open("wb") as log:
        command = [program, "-c", str(folder / "nginx.conf"), "-p", str(folder)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until_it_listens(port, process, folder / "log", folder / "error.log")
        yield f"https://127.0.0.1:{port}/safelight"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)


def _certificate(folder: Path) -> None:
    """Its own authority, for an hour."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"), "-days", "1"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S)


def until_it_listens(port: int, process: subprocess.Popen[bytes], *logs: Path) -> None:
    give_up_at = time.monotonic() + PATIENCE_S
    while True:
        assert process.poll() is None, "".join(log.read_text() for log in logs)
        assert time.monotonic() < give_up_at
        try:
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
