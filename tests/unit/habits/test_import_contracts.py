"""The lists in pyproject.toml that import-linter cannot complete by itself name everything there is."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "src" / "safelight"
SEAMS_WITH_ADAPTERS = ("providers", "queues")
UPPER_LAYERS = {"cli", "mcp", "client", "domain"}


def contract(name: str) -> dict[str, Any]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts: list[dict[str, Any]] = project["tool"]["importlinter"]["contracts"]
    return next(one for one in contracts if one["name"] == name)


def adapters() -> set[str]:
    """Every subpackage of a seam is one adapter; modules beside them belong to the seam itself."""
    return {
        f"safelight.{seam}.{folder.name}"
        for seam in SEAMS_WITH_ADAPTERS
        for folder in (PACKAGE / seam).iterdir()
        if (folder / "__init__.py").exists()
    }


def test_every_adapter_is_kept_from_the_others_and_from_all_but_the_composition_root() -> None:
    assert set(contract("Adapters do not know each other")["modules"]) == adapters()
    assert set(contract("Only adapters.py chooses adapters")["protected_modules"]) == adapters()


def test_the_client_is_kept_from_every_part_of_the_server() -> None:
    parts = {path.stem for path in PACKAGE.iterdir() if (path / "__init__.py").exists() or path.suffix == ".py"}
    server = {f"safelight.{part}" for part in parts - UPPER_LAYERS if not part.startswith("__")}
    assert set(contract("The client knows nothing of the server but its words")["forbidden_modules"]) == server
