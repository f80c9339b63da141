"""The steps, in order of their numbers: expand first, contract in a later release, as old workers run beside new."""
