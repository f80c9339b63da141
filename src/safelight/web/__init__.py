"""The studio: static files, clients of the public API and of nothing else."""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).with_name("static")
