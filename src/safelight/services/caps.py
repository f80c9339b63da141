"""How many jobs of one user may run in one queue: by the row of that user, else by the tier, else by the setting."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import NamedTuple

import sqlalchemy as sa

from safelight.catalog.tiers import DEFAULT_TIER
from safelight.services.sql import arg
from safelight.store import tables
from safelight.store.statements import Query
from safelight.store.tx import Tx

users = tables.users

_NO_TIERS: Mapping[str, int | None] = MappingProxyType({})


class Caps(NamedTuple):
    """None: no cap. `exceptions`: whether some users have a cap of their own."""

    usual: int | None = None
    by_tier: Mapping[str, int | None] = _NO_TIERS
    """Of every tier there is; None: as usual."""
    exceptions: bool = False

    @property
    def there_are_any(self) -> bool:
        return self.exceptions or any(cap is not None for cap in (self.usual, *self.by_tier.values()))

    def of(self, tx: Tx, names: Collection[str]) -> dict[str, int | None]:
        """By user."""
        if not self.by_tier and not self.exceptions:
            return dict.fromkeys(names, self.usual)
        rows = tx.many(_USER, [{"whose": name} for name in names])
        return {name: self._cap(row) for name, row in zip(names, rows, strict=True)}

    def _cap(self, row: _UserCap | None) -> int | None:
        if row is not None and row.running_cap is not None:
            return row.running_cap
        tier = row.tier if row is not None and row.tier in self.by_tier else DEFAULT_TIER
        cap = self.by_tier.get(tier) if tier is not None else None
        return self.usual if cap is None else cap


NO_CAPS = Caps()


class CapBook:
    """The caps in force in one process. The sweep looks from time to time whether users have their own."""

    def __init__(self, caps: Caps = NO_CAPS) -> None:
        self.now = caps

    def learn(self, exceptions: bool) -> None:
        if exceptions != self.now.exceptions:
            self.now = self.now._replace(exceptions=exceptions)


class _UserCap(NamedTuple):
    tier: str | None
    running_cap: int | None


class _Found(NamedTuple):
    user_id: str


_USER = Query(sa.select(users.c.tier, users.c.running_cap).where(users.c.user_id == arg("whose")), _UserCap)
_EXCEPTION = Query(sa.select(users.c.user_id).where(users.c.running_cap.is_not(None)).limit(1), _Found)


def has_exceptions(tx: Tx) -> bool:
    """Whether any user has a cap of their own."""
    return tx.one(_EXCEPTION) is not None
