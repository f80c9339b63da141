"""Subjects."""

from __future__ import annotations

from safelight.providers.procedural.canvas import Canvas
from safelight.providers.procedural.scene import Scene


def paint_subject(canvas: Canvas, scene: Scene) -> None:
    """Draw it."""
