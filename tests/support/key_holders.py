"""Keys of an installation under test: made straight in its database, as `safelight keys create` does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from safelight.domain.access import hashed, new_token, read_scopes, shown
from safelight.domain.ids import new_id
from safelight.services.api_keys import NewKey, make_key, revoke_key
from tests.support.door import Door

ALL = "jobs+read+admin"


class Holder(NamedTuple):
    """A key and the header that shows it."""

    id: str
    key: str

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


def holder(door: Door, user: str = "ann", scopes: str = ALL, *, lives_s: float | None = None) -> Holder:
    """Make a key, and let the running installation know of it at once. A life below 0 is over before it begins."""
    key = new_token()
    made = NewKey(new_id(), hashed(key), user, "", read_scopes(scopes), shown(key), lives_s)
    found = door.run(door.safelight.database.write(make_key, made))
    forget_what_is_known(door)
    return Holder(found.id, key)


def revoked(door: Door, user: str = "ann", scopes: str = ALL) -> Holder:
    """A key that was revoked."""
    made = holder(door, user, scopes)
    revoke(door, made)
    return made


def revoke(door: Door, made: Holder) -> None:
    assert door.run(door.safelight.database.write(revoke_key, made.id))
    forget_what_is_known(door)


def forget_what_is_known(door: Door) -> None:
    """As if the second had passed for which answers are kept."""
    ring = door.safelight.keyring
    ring._kept.clear()
    ring._looked_at -= ring._keep_s
