"""The words and rules of Safelight in plain Python: states, moves, errors, ids, time, retry. No I/O, no libraries."""
