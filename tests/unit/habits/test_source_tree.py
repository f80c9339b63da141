"""The checks look at what people write, whether or not git knows the folder."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools.source_tree import text_files


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("README.md", ".ci/run", "src/code.py", ".venv/lib/other.py", "node_modules/other.js"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text", encoding="utf-8")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    return tmp_path


def test_a_downloaded_archive_is_walked(project: Path) -> None:
    assert [name for name, _ in text_files(project)] == [".ci/run", "README.md", "src/code.py"]


def test_in_a_clone_git_decides(project: Path) -> None:
    (project / ".gitignore").write_text(".venv/\nnode_modules/\nsrc/\n", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    assert [name for name, _ in text_files(project)] == [".ci/run", ".gitignore", "README.md"]
