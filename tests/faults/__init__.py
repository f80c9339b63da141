"""The fault laboratory: one thing after another is broken in running systems, and the diagnosis is put to the test."""
