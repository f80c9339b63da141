"""Whether an error means that memory ran out. Frameworks say so in many ways; the last of these is oneDNN's."""

from __future__ import annotations

SAYINGS = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "could not create a primitive",
)


def ran_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(saying in str(error).lower() for saying in SAYINGS)
