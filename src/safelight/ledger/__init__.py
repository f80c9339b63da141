"""Credit arithmetic: what each ledger entry does to a balance. Integers, no I/O."""
