"""requirements/ pins what pyproject.toml asks for, with hashes, and the same in every file."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[3]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
GROUPS: dict[str, list[Any]] = PROJECT["dependency-groups"]
ASKED_FOR = {
    "base.txt": PROJECT["project"]["dependencies"],
    "build.txt": GROUPS["build"],
    "video.txt": EXTRAS["video"],
    "local-upscale.txt": EXTRAS["local-upscale"],
    "dev.txt": [*PROJECT["project"]["dependencies"], *EXTRAS["postgres"], *GROUPS["build"], *GROUPS["dev"]],
}


def pins(file: str) -> dict[str, set[str]]:
    """Versions by name; a name has several when Pythons differ in what they can take."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", text_of(file), re.MULTILINE):
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def text_of(file: str) -> str:
    return (ROOT / "requirements" / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("file", ASKED_FOR)
def test_every_dependency_is_pinned_to_a_version_it_allows(file: str) -> None:
    pinned = pins(file)
    for asked in map(Requirement, filter(lambda entry: isinstance(entry, str), ASKED_FOR[file])):
        versions = pinned.get(canonicalize_name(asked.name), set())
        assert versions, f"{asked.name} is not pinned in requirements/{file}: run 'make lock'"
        assert all(asked.specifier.contains(version, prereleases=True) for version in versions), asked


@pytest.mark.parametrize("file", ASKED_FOR)
def test_every_pin_carries_hashes(file: str) -> None:
    entries = re.split(r"^(?=[\w.-]+==)", text_of(file), flags=re.MULTILINE)[1:]
    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("file", ["base.txt", "build.txt", "video.txt", "local-upscale.txt"])
def test_developers_run_the_versions_that_users_get(file: str) -> None:
    assert pins(file).items() <= pins("dev.txt").items()


def test_the_build_backend_is_pinned() -> None:
    assert PROJECT["build-system"]["requires"] == GROUPS["build"]
