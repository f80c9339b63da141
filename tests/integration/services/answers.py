"""What use cases that post an entry answered: the entry, or the refusal."""

from __future__ import annotations

from safelight.domain.errors import CallerError
from safelight.services.once import Posted
from safelight.services.read_ledger import Line


def made(answer: Posted | CallerError | None) -> Line:
    """The entry of an answer that posted one."""
    assert isinstance(answer, Posted)
    assert not answer.replayed
    return answer.line


def refused(answer: Posted | CallerError | None) -> CallerError:
    assert isinstance(answer, CallerError)
    return answer
