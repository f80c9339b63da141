"""Print what an extra of pyproject.toml asks for, a line each: `python tools/extra.py video`."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

if __name__ == "__main__":
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    print(*project["project"]["optional-dependencies"][sys.argv[1]], sep="\n")
