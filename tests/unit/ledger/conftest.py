"""A busy machine is no failure: Hypothesis may take its time over an example."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("patient", settings.default, deadline=None)
settings.load_profile("patient")
