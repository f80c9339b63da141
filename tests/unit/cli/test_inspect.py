"""`safelight inspect`: a file tells where it came from, and the installation whether that is true."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from safelight.cli.main import app
from safelight.storage.provenance import Provenance, embed, embed_in_film
from safelight.testing.hollow_films import hollow_film
from tests.unit.cli.conftest import Run
from tests.unit.cli.stand_in import ASSET, JOB_ID, StandIn, job, problem

PAPERS = Provenance(JOB_ID, "a-model", "a fox\x1b[31m ✨", True, seed=7, params={"width": 64}, provider="replicate")


def picture(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 32), "teal").save(buffer, kind)
    return embed(buffer.getvalue(), f"image/{kind.lower()}", PAPERS)


def film() -> bytes:
    file = io.BytesIO(hollow_film())
    embed_in_film(file, PAPERS)
    return file.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "image/png": lambda: picture("PNG"),
    "image/webp": lambda: picture("WEBP"),
    "image/jpeg": lambda: picture("JPEG"),
    "video/mp4": film,
}


@pytest.mark.parametrize("mime", FILES)
def test_a_file_of_each_kind_leads_back_to_its_job(run: Run, server: StandIn, tmp_path: Path, mime: str) -> None:
    path = tmp_path / "found"
    path.write_bytes(FILES[mime]())
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    server.replies[f"GET /api/jobs/{JOB_ID}"] = (
        200,
        job(assets=[ASSET | {"sha256": "other"}, ASSET | {"sha256": sha256}]),
    )
    told = run("inspect", str(path), "--json")
    assert told.exit_code == 0, told.stderr
    body = json.loads(told.stdout)
    assert (body["mime"], body["bytes"], body["sha256"]) == (mime, path.stat().st_size, sha256)
    assert body["duration_s"] == (2.5 if mime == "video/mp4" else None)
    assert body["papers"]["job_id"] == JOB_ID
    assert (body["papers"]["seed"], body["papers"]["ai_generated"], body["papers"]["provider"]) == (
        7,
        True,
        "replicate",
    )
    assert body["installation"] == {"job": True, "status": "completed", "asset": "a", "why_not_asked": None}
    said = run("inspect", str(path)).stdout
    assert "byte for byte" in said
    assert "a-model at replicate" in said
    assert "\x1b" not in said


def test_a_file_that_was_changed_is_told_from_the_one_that_was_delivered(
    run: Run, server: StandIn, tmp_path: Path
) -> None:
    path = tmp_path / "cut.png"
    path.write_bytes(picture("PNG"))
    server.replies[f"GET /api/jobs/{JOB_ID}"] = 200, job(assets=[ASSET | {"sha256": "of the real one"}])
    told = run("inspect", str(path))
    assert told.exit_code == 0
    assert "changed" in told.stdout


def test_a_job_that_is_not_known_here_is_said_to_be_so(run: Run, server: StandIn, tmp_path: Path) -> None:
    path = tmp_path / "stray.png"
    path.write_bytes(picture("PNG"))
    server.replies[f"GET /api/jobs/{JOB_ID}"] = problem(404, "not_found")
    told = run("inspect", str(path), "--json")
    assert (told.exit_code, json.loads(told.stdout)["installation"]["job"]) == (0, False)


def test_papers_are_shown_where_there_is_no_installation(tmp_path: Path) -> None:
    path = tmp_path / "stray.mp4"
    path.write_bytes(film())
    environment = {"SAFELIGHT_DATA_DIR": str(tmp_path / "nothing"), "SAFELIGHT_URL": ""}
    told = CliRunner().invoke(app, ["inspect", str(path), "--json"], env=environment)
    assert told.exit_code == 0, told.stderr
    known = json.loads(told.stdout)["installation"]
    assert known["job"] is None
    assert "no database" in known["why_not_asked"]
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("data", [b"", b"just text", hollow_film(), hollow_film()[:-3]])
def test_a_file_without_papers_is_exit_code_1(run: Run, server: StandIn, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bare"
    path.write_bytes(data)
    told = run("inspect", str(path), "--json")
    assert told.exit_code == 1
    assert (json.loads(told.stdout)["papers"], server.asked) == (None, [])
    assert "has no papers" in run("inspect", str(path)).stderr


def test_a_file_that_is_not_there_is_misuse_and_named(run: Run, tmp_path: Path) -> None:
    told = run("inspect", str(tmp_path / "nothing.png"))
    assert told.exit_code == 2  # 1 is a file without papers
    assert "does not exist" in " ".join(told.stderr.split())
