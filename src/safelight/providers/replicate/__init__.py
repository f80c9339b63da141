"""Replicate: predictions by polling, and announced by webhook. Raw HTTP."""
