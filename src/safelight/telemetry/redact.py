"""Take secrets out of texts and values before anyone else sees them: logs, error messages, printed settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from safelight.domain.secrets import MASK, without_secrets

_CREDENTIAL_WORDS = (
    "authorization|credentials?|token|secret|password|passwd|passphrase|cookie|apikey"
    "|(?:api|access|secret|signing|private|account)[_-]?key"
)
_CREDENTIAL_HINTS = ("authorization", "credential", "token", "secret", "pass", "cookie", "key")
_CREDENTIAL_NAME = re.compile(rf"(?:^|[_.-])(?:{_CREDENTIAL_WORDS})(?:$|[_.-])", re.IGNORECASE)
_CAMEL_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class _Shape:
    """One shape of a secret. Texts without any of the hints (in lower case) are not searched: that is most."""

    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    replacement: str


_SHAPES = (
    _Shape(  # user:password@ in a URL; the user stays, it helps to find the account
        ("://",),
        re.compile(r"(\b[a-z][a-z0-9+.-]{0,20}://[^\s/@:?#]{0,256}:)[^\s/?#]{1,1024}(?=@)", re.IGNORECASE),
        rf"\1{MASK}",
    ),
    _Shape(  # ?sig=… and its like in a query
        ("sig", "ticket", "x-amz", *_CREDENTIAL_HINTS),
        re.compile(
            r"([?&;](?:sig|signature|token|access_token|ticket|key|api_?key|secret|password"
            r"|x-amz-(?:signature|credential|security-token))=)[^&\s#\"']+",
            re.IGNORECASE,
        ),
        rf"\1{MASK}",
    ),
    _Shape(
        ("bearer", "basic", "token"),
        re.compile(r"\b((?:Bearer|Basic|Token)\s+)[A-Za-z0-9._~+/=:-]{6,}", re.IGNORECASE),
        rf"\1{MASK}",
    ),
    _Shape(  # the shapes in which providers hand out keys
        ("sk-", "hf_", "r8_", "gsk_", "xai-", "ghp_", "akia", "aiza", "whsec_"),
        re.compile(r"\b(sk-|hf_|r8_|gsk_|xai-|ghp_|AKIA|AIza|whsec_)[A-Za-z0-9_+/=-]{6,}"),
        rf"\1{MASK}",
    ),
    _Shape(  # a JSON web token
        ("eyj",),
        re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?"),
        MASK,
    ),
    _Shape(  # "api_key": "…" inside a quoted body
        _CREDENTIAL_HINTS,
        re.compile(rf"([\"'](?:key|{_CREDENTIAL_WORDS})[\"']\s{{0,4}}:\s{{0,4}}[\"'])[^\"']+", re.IGNORECASE),
        rf"\1{MASK}",
    ),
    _Shape(  # password=… as in connection strings
        _CREDENTIAL_HINTS,
        re.compile(rf"(\b(?:{_CREDENTIAL_WORDS})\s?=\s?)[^\s&,;'\"]+", re.IGNORECASE),
        rf"\1{MASK}",
    ),
)

_HINTS = tuple(dict.fromkeys(hint for shape in _SHAPES for hint in shape.hints))


def redact(text: str) -> str:
    """The text with the keys of this process, and everything that looks like a credential, replaced by `***`."""
    text = without_secrets(text)
    lower = text.lower()
    for hint in _HINTS:  # a plain loop: on most log values this is the whole cost, a microsecond
        if hint in lower:
            break
    else:
        return text
    for shape in _SHAPES:
        if any(hint in lower for hint in shape.hints):
            text = shape.pattern.sub(shape.replacement, text)
    return text


@lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Whether a field of that name holds a credential: `api_key`, `authToken`, `Set-Cookie`; not `max_tokens`."""
    return _CREDENTIAL_NAME.search(_CAMEL_HUMP.sub("_", name)) is not None
