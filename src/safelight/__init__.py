"""Safelight: a self-hosted server for AI media generation that never leaves anyone in the dark."""

__version__ = "0.1.0"
