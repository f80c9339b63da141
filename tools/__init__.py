"""Developers' scripts: checks of our own, generated documentation, git hooks. Nothing here is shipped."""
