"""Logs: one line per event, with the ids of what it is about, and without secrets."""
