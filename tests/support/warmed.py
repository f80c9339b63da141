"""What processes of Safelight load, loaded once: `tests.support.launch` forks them from the process that did."""
