"""Why a fetch brought nothing. Plain exceptions: whoever fetches knows what they mean for a job or a caller."""

from __future__ import annotations


class FetchError(Exception):
    """The text is fit for users: it names the address without its query, which may hold a signature."""

    can_get_better: bool = False
    """Whether the same fetch may succeed later."""


class RefusedTarget(FetchError):
    """The address is none that Safelight fetches from or posts to: private, not http(s), with a password in it, ..."""


class Unreachable(FetchError):
    """No name, no connection, no trust in its certificate, or an answer that was cut."""

    can_get_better = True


class BadAnswer(FetchError):
    """The server answered, but not with the file."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(what)
        self.status = status
        self.can_get_better = status in (408, 425, 429) or status >= 500


class TooManyBytes(FetchError):
    """The file is larger than the caller takes."""


class TookTooLong(FetchError):
    """It was not there in time."""

    can_get_better = True
