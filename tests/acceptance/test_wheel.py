"""The built wheel, alone in a clean environment, serves a picture.

The environment holds the wheel and exactly the packages that requirements/base.txt names, linked from the
environment the tests run in: nothing is downloaded, the source tree is out of sight, and a forgotten dependency shows.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
PINNED = re.compile(r"^(?P<name>[a-z0-9._-]+)==\S+(?P<only_for> ;)?", re.MULTILINE)
STARTED_WITHIN_S = 30
PICTURE_WITHIN_S = 60


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run_pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    (built,) = folder.glob("safelight-*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clean") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    link_base_packages(site_packages)
    run_pip("--python", str(folder / "bin/python"), "install", "--no-deps", "--no-index", str(wheel))
    return folder


@pytest.fixture
def server(environment: Path, tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of `safelight serve`, started in an empty folder; ended by SIGTERM, which must be a clean end."""
    port = free_port()
    command = [environment / "bin/safelight", "serve", "--port", str(port)]
    with (tmp_path / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=plain_environ(tmp_path), stdout=log, stderr=log)
    # Refused connections are tried again after 0, 0.5, 1, 2 ... seconds.
    transport = httpx.HTTPTransport(retries=6)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=STARTED_WITHIN_S) as client:
            yield client
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0, (tmp_path / "serve.log").read_text()
    finally:
        process.kill()
        process.wait()


def test_the_wheel_carries_every_file_of_the_package(wheel: Path) -> None:
    shipped = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("safelight/")}
    assert shipped == package_files()
    assert "safelight/catalog/models/image.toml" in shipped
    assert any(name.startswith("safelight/store/migrations/") for name in shipped)
    assert any(name.startswith("safelight/web/") and name.endswith(".js") for name in shipped)


def test_the_wheel_names_its_licence(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_installed_wheel_makes_a_picture(server: httpx.Client) -> None:
    request = {"kind": "image", "prompt": "a lighthouse at dusk", "params": {"width": 256, "height": 256, "seed": 7}}
    submitted = server.post("/api/jobs", json=request)
    assert submitted.status_code == 202, submitted.text

    # The stream of events ends by itself once the job has ended.
    events = server.get(f"/api/jobs/{submitted.json()['id']}/events", timeout=PICTURE_WITHIN_S)
    assert "event: job.completed" in events.text

    job = server.get(submitted.headers["Location"]).json()
    (asset,) = job["assets"]
    picture = server.get(asset["url"])
    assert picture.headers["Content-Type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    assert len(picture.content) == asset["bytes"]


def test_the_installed_wheel_serves_the_studio(server: httpx.Client) -> None:
    page = server.get("/")
    assert page.status_code == 200
    scripts = re.findall(r'<script[^>]*\bsrc="([^"]+)"', page.text)
    assert scripts
    assert all(server.get(script).status_code == 200 for script in scripts)


def run_pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments], check=True)


def link_base_packages(site_packages: Path) -> None:
    """Link every file or folder of the pinned packages. One for other systems only may be missing here."""
    for pin in PINNED.finditer((ROOT / "requirements/base.txt").read_text(encoding="utf-8")):
        try:
            package = distribution(pin["name"])
        except PackageNotFoundError:
            assert pin["only_for"], f"{pin['name']} is pinned but not installed here: run 'make test'"
            continue
        for top in {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"}:
            link = site_packages / top
            if not link.exists():
                link.symlink_to(Path(str(package.locate_file(top))))


def package_files() -> set[str]:
    source = ROOT / "src"
    return {
        path.relative_to(source).as_posix()
        for path in (source / "safelight").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def plain_environ(home: Path) -> dict[str, str]:
    """The environment without anything that configures Safelight or lets Python see other packages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SAFELIGHT_", "PYTHON"))}
    return {**kept, "HOME": str(home)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
