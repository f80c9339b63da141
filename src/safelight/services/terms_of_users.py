"""Each user's view of the catalog: the models, limits and prices of the tier that the user belongs to."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from safelight.catalog.catalog import Catalog
from safelight.catalog.views import Learnt, for_tier, timed
from safelight.domain.clock import local_s
from safelight.services.users import user
from safelight.store.database import Database

KEEP_S = 2.0
MOST_KEPT = 10_000


class TermsOfUsers:
    """Where the catalog has tiers, who is in which is asked of the database at most every few seconds."""

    def __init__(self, database: Database, catalog: Catalog, keep_s: float = KEEP_S) -> None:
        self._database, self._catalog, self._keep_s = database, catalog, keep_s
        self._tiers: OrderedDict[str, tuple[float, str | None]] = OrderedDict()
        self._learnt: Mapping[str, Learnt] = {}
        self._views: dict[str | None, Catalog] = {}

    async def catalog_for(self, user_id: str, learnt: Mapping[str, Learnt]) -> Catalog:
        """With what models have shown to take. Raises Unavailable where the database cannot say who the user is."""
        tier = await self._tier(user_id) if self._catalog.tiers else None
        if learnt != self._learnt:
            self._learnt, self._views = learnt, {}
        if tier not in self._views:
            self._views[tier] = for_tier(timed(self._catalog, learnt), tier)
        return self._views[tier]

    async def _tier(self, user_id: str) -> str | None:
        at, tier = self._tiers.get(user_id, (None, None))
        if at is not None and local_s() - at < self._keep_s:
            return tier
        tier = (await self._database.read(user, user_id)).tier
        known = tier if tier in self._catalog.tiers else None
        self._tiers[user_id] = local_s(), known
        self._tiers.move_to_end(user_id)
        if len(self._tiers) > MOST_KEPT:
            self._tiers.popitem(last=False)
        return known
