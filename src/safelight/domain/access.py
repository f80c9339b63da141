"""What may be done by whom: scopes, the keys that carry them, and what is kept of a key instead of itself."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final, NamedTuple

SCOPES: Final = ("jobs", "read", "admin")
"""Own jobs, uploads, credits, models; health and metrics; grants, pauses and what belongs to others."""

PREFIX: Final = "sk-safelight-"
RANDOM_BYTES: Final = 24
SHORTEST: Final = 16
"""Characters of a key that an operator makes up."""
_SHOWN: Final = 6


class GivenKey(NamedTuple):
    """A key that an operator made up and wrote into the settings."""

    key: str
    user_id: str
    scopes: frozenset[str]


def new_token(prefix: str = PREFIX) -> str:
    """192 random bits, in letters that pass through addresses, headers and shells as they are."""
    return prefix + secrets.token_urlsafe(RANDOM_BYTES)


def hashed(token: str) -> str:
    """What is kept of it: no better is needed, because nobody guesses 192 bits."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def shown(key: str) -> str:
    """Enough to tell keys apart."""
    return f"{key[: len(PREFIX) + _SHOWN]}…"


def read_scopes(text: str) -> frozenset[str]:
    """`jobs+read`. Raises ValueError for anything else."""
    found = frozenset(text.split("+"))
    if not found <= set(SCOPES):
        raise ValueError(f"not scopes: there are {', '.join(SCOPES)}, joined by +")
    return found


def written_scopes(scopes: frozenset[str]) -> str:
    """The same from scopes to text, always in one order."""
    return "+".join(scope for scope in SCOPES if scope in scopes)


def read_given_key(text: str) -> GivenKey:
    """`key:user:scope+scope`; the user's name may hold colons. Raises ValueError."""
    key, _, rest = text.partition(":")
    user_id, _, scopes = rest.rpartition(":")
    if len(key) < SHORTEST or not key.isascii() or not key.isprintable() or " " in key:
        raise ValueError(f"the key must have {SHORTEST} or more plain characters")
    return GivenKey(key, user_id, read_scopes(scopes))
