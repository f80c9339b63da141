"""What a 403 forbids: the whole key, or only one model or one request of many. Pure.

A key that is refused shuts its provider for everybody, so only words about the key, or the account behind it, say so.
"""

from __future__ import annotations

import re

from safelight.domain.outcomes import ErrorClass

_THE_MODEL = re.compile(
    r"(?<![.\w])models?\b(?!\.\w)|\bgated\b|\brestricted\b|authorized list|must be verified", re.IGNORECASE
)
"""Not the `model.request` among the missing scopes of a key."""
_THE_KEY = re.compile(
    r"\bkeys?\b|api[-_]key|\btokens?\b|credential|authenticat|unauthori[sz]ed|scopes?\b|sufficient permission|"
    r"\baccount|\bproject\b|\bconsumer\b|suspended|country|region|\bip\b",
    re.IGNORECASE,
)


def forbidden(words: str) -> ErrorClass:
    """The class of a 403 by its words. A model that is closed to this key is like one that is gone."""
    if _THE_MODEL.search(words):
        return ErrorClass.MODEL_RETIRED
    return ErrorClass.UNAUTHORIZED if _THE_KEY.search(words) else ErrorClass.INVALID_REQUEST
