"""Readers and one writer at a time: fewer connections to open."""

from __future__ import annotations

from tests.integration.worker.conftest import database

__all__ = ["database"]
