"""A real Caddy in a folder of its own, configured by the very block of docs/proxy.md; without TLS or a name."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safelight.testing.throwaway import NoServer
from tests.support.nginx import PATIENCE_S, block, until_it_listens

NOBODY = "pictures.example.org"


@contextmanager
def caddy(folder: Path, port: int, inner_port: int) -> Iterator[str]:
    """The address of the server at `inner_port` as the guide has it. Raises NoServer."""
    program = shutil.which("caddy")
    if program is None:
        raise NoServer("no caddy; on Debian: apt-get install caddy")
    folder.mkdir()
    site = block("caddy", "caddyfile").replace("127.0.0.1:8000", f"127.0.0.1:{inner_port}")
    assert NOBODY in site
    site = site.replace(f"{NOBODY} {{", f"http://127.0.0.1:{port} {{\n    bind 127.0.0.1")
    (folder / "Caddyfile").write_text(f"{{\n    admin off\n    auto_https off\n}}\n{site}")
    env = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with (folder / "log").open("wb") as log:
        command = [program, "run", "--config", str(folder / "Caddyfile")]
        process = subprocess.Popen(command, stdout=log, stderr=log, env=env)
    try:
        until_it_listens(port, process, folder / "log")
        yield f"http://127.0.0.1:{port}/safelight"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
